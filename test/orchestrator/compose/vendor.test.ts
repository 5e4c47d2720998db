import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { translate, web } from "./translated.ts";

const AT = "services.web.labels.aliyun";

describe("aliyun.scale", () => {
  const counted = async (lines: string) => {
    const { web: service, diagnostics } = await web(lines);
    return [service.initialReplicas, ...diagnostics];
  };

  test("is the count that a service starts from", async () => {
    assert.deepEqual(await counted('labels: { aliyun.scale: "3" }'), [3]);
    assert.deepEqual(await counted('labels: { aliyun.scale: "0" }'), [0]);
    assert.deepEqual(await counted('labels: { aliyun.scale: "3" }\nscale: 3'), [3]);
  });

  test("gives way to compose's own keys, and says so", async () => {
    assert.deepEqual(await counted('labels: { aliyun.scale: "3" }\nscale: 2'), [
      2,
      `warning: ${AT}.scale: 3 is not used: scale, which is 2, goes first`,
    ]);
    assert.deepEqual(await counted('deploy: { replicas: 0, labels: { aliyun.scale: "3" } }'), [
      0,
      `warning: ${AT}.scale: 3 is not used: deploy.replicas, which is 0, goes first`,
    ]);
  });

  test("has no meaning for a global service, and says so", async () => {
    const [count, said] = await counted('labels: { aliyun.scale: "3", aliyun.global: "true" }');
    assert.equal(count, 1);
    assert.equal(
      said,
      `warning: ${AT}.scale: has no meaning for a global service, which has one replica on each node`,
    );
  });

  test("that is no count is said", async () => {
    assert.deepEqual(await counted('labels: { aliyun.scale: "many" }'), [
      1,
      `warning: ${AT}.scale: expected a whole number of at least 0, got "many" (the service does not scale)`,
    ]);
  });
});

describe("aliyun.depends", () => {
  const problems = async (services: string) => {
    const { diagnostics } = await translate(`services:\n${services}`);
    return diagnostics;
  };

  test("in a circle is refused, and the circle named once", async () => {
    assert.deepEqual(
      await problems(`
  web: { image: a, labels: { aliyun.depends: api } }
  api: { image: a, depends_on: [db] }
  db: { image: a, labels: { aliyun.depends: "cache,web" } }
  cache: { image: a }`),
      [
        "error: services.api.labels.aliyun.depends: expected dependencies without a circle, got api -> db -> web -> api",
      ],
    );
    assert.deepEqual(await problems('  web: { image: a, labels: { aliyun.depends: "web" } }'), [
      `error: ${AT}.depends: expected dependencies without a circle, got web -> web`,
    ]);
  });

  test("that meet again further down are no circle", async () => {
    assert.deepEqual(
      await problems(`
  web: { image: a, labels: { aliyun.depends: "api,db" } }
  api: { image: a, labels: { aliyun.depends: db } }
  db: { image: a }`),
      [],
    );
  });

  test("on what is no service of the project is refused", async () => {
    assert.deepEqual(await problems('  web: { image: a, labels: { aliyun.depends: "dbb" } }'), [
      `error: ${AT}.depends: expected services of this project, got "dbb", which is not among them`,
    ]);
  });
});
