import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failure, leftovers } from "./control-double.ts";
import { json, problem, startTestApi } from "./harness.ts";

describe("the pages about what replicas left", () => {
  test("failures of a service, and of none", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/services/shop_web/failures");
    assert.deepEqual(await response.json(), { failures: [failure] });
    assert.equal((await problem(await server.fetch("/v1/services/nobody/failures"))).code, "NOT_FOUND");
  });

  test("the doctor is asked about one project, or about all", async () => {
    await using server = await startTestApi();
    assert.equal((await server.fetch("/v1/doctor?project=shop")).status, 200);
    const response = await server.fetch("/v1/doctor");
    assert.deepEqual(await response.json(), { services: [], leftovers, missing: [] });
    assert.deepEqual(server.control.calls, [{ doctor: "shop" }, { doctor: undefined }]);
    assert.equal((await problem(await server.fetch("/v1/doctor?projekt=shop"))).code, "REQUEST_INVALID");
  });

  test("what could be cleared away is shown by one page, and removed by its names by another", async () => {
    await using server = await startTestApi();
    assert.deepEqual(await (await server.fetch("/v1/leftovers")).json(), leftovers);
    const sweep = (body: object) => server.fetch("/v1/leftovers/sweep", json("POST", body));
    assert.deepEqual(await (await sweep({ keys: ["log a.log"] })).json(), { swept: leftovers.items });
    assert.deepEqual(server.control.calls, [{ sweep: ["log a.log"] }]);
    assert.equal((await problem(await sweep({}))).code, "REQUEST_INVALID");
    assert.equal((await problem(await sweep({ keys: [], all: true }))).code, "REQUEST_INVALID");
  });
});
