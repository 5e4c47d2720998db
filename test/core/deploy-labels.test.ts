import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeLabels } from "../../core/labels.ts";

const decode = (labels: Record<string, string>) => decodeLabels(labels, {}, "services.web.labels");
const said = (labels: Record<string, string>) =>
  decode(labels).diagnostics.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);

describe("labels of rollouts and placement", () => {
  test("say nothing where nothing is said", () => {
    assert.equal(decode({}).deploy, undefined);
  });

  test("rolling updates go a few at a time, and what is no number means one", () => {
    const parallel = (text: string) =>
      decode({ "aliyun.rolling_updates": "true", "aliyun.rolling_updates.parallelism": text }).deploy?.update;
    assert.deepEqual(parallel("2"), { parallelism: 2 });
    assert.deepEqual(parallel("many"), { parallelism: 1 });
    assert.deepEqual(parallel("0"), { parallelism: 1 });
  });

  test("rolling updates switched off stop all old ones and start all new ones", () => {
    assert.deepEqual(decode({ "aliyun.rolling_updates": "false" }).deploy?.update, {
      order: "stop-first",
      parallelism: 0,
    });
  });

  test("the rest is read as it is meant", () => {
    const labels = { "aliyun.depends": "db, cache", "aliyun.global": "TRUE", "aliyun.latest_image": "true" };
    const { depends, global, latestImage } = decode(labels).deploy ?? {};
    assert.deepEqual(
      { depends, global, latestImage },
      { depends: ["db", "cache"], global: true, latestImage: true },
    );
    assert.deepEqual(said(labels), []);
  });

  test("a probe that decides liveness says after how many failures, and needs a probe", () => {
    assert.equal(decode({ "probe.tcp": ":80", "probe.liveness": "5" }).deploy?.livenessFailures, 5);
    assert.deepEqual(said({ "probe.liveness": "5" }), [
      "error services.web.labels.probe.liveness: needs probe.http, probe.tcp or probe.cmd beside it",
    ]);
    assert.deepEqual(said({ "probe.tcp": ":80", "probe.liveness": "0" }), [
      'error services.web.labels.probe.liveness: expected a whole number of at least 1, got "0"',
    ]);
  });
});
