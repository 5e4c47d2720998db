import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readProjectRequest } from "../../../orchestrator/project-request.ts";

async function read(services: Record<string, Record<string, unknown>>, top: Record<string, unknown> = {}) {
  const withCommand = Object.entries(services).map(([name, service]) => [
    name,
    { command: "true", ...service },
  ]);
  const request = {
    compose: { ...top, services: Object.fromEntries(withCommand) },
    workingDirectory: "/srv/shop",
    composeFiles: ["/srv/shop/compose.yaml"],
  };
  const { project, diagnostics } = await readProjectRequest("shop", request);
  return {
    service: (name: string) => project.services.find((one) => one.name === name) ?? assert.fail(),
    said: diagnostics.map(({ path, message }) => `${path}: ${message}`),
  };
}

describe("a job of a compose file", () => {
  test("has no replicas, whatever its count says: that is how many tasks it has", async () => {
    const { service, said } = await read({
      a: { labels: { "job.run": "once" }, scale: 3 },
      b: { labels: { "job.run": "once", "aliyun.scale": "4" } },
      c: { labels: { "job.run": "once", "job.tasks": "5" }, deploy: { replicas: 2 } },
      web: {},
    });
    const told = ["a", "b", "c", "web"].map((name) => [
      service(name).initialReplicas,
      service(name).job?.tasks,
    ]);
    assert.deepEqual(told, [
      [0, 3],
      [0, 4],
      [0, 5],
      [1, undefined],
    ]);
    assert.deepEqual(said, []);
  });

  test("has one definition, whatever its labels say of when it is due", async () => {
    const hash = async (schedule: string) => {
      return (await read({ a: { labels: { "job.schedule": schedule } } })).service("a").templateHash;
    };
    assert.equal(await hash("0 3 * * *"), await hash("0 4 * * *"));
  });

  test("is one by the vendor's word for the whole project, wherever that stands", async () => {
    for (const top of [
      { "aliyun.project_type": "batch" },
      { labels: { "aliyun.project_type": "batch" } },
      { "x-aliyun.project_type": "batch" },
    ]) {
      const { service, said } = await read({ a: { labels: { "aliyun.scale": "10" } }, b: {} }, top);
      assert.deepEqual(said, []);
      assert.deepEqual([service("a").job?.trigger, service("a").job?.tasks], [{ kind: "once" }, 10]);
      assert.equal(service("b").job?.trigger.kind, "once");
    }
    await assert.rejects(read({ a: {} }, { "aliyun.project_type": "bach" }), /cannot be used/);
  });

  test("that comes after nobody, no job, or itself does not run, and it is said why", async () => {
    const { service, said } = await read({
      web: {},
      lonely: { labels: { "job.after": "nobody" } },
      late: { labels: { "job.after": "web" } },
      hen: { labels: { "job.after": "egg" } },
      egg: { labels: { "job.after": "hen" } },
      fine: { labels: { "job.after": "first" } },
      first: { labels: { "job.run": "manual" } },
    });
    assert.deepEqual(said, [
      "services.egg.labels.job.after: comes after itself, by way of hen (the job does not run)",
      "services.hen.labels.job.after: comes after itself, by way of egg (the job does not run)",
      "services.late.labels.job.after: comes after web, which is no job and never succeeds (the job does not run)",
      "services.lonely.labels.job.after: comes after nobody, which the project does not have (the job does not run)",
    ]);
    assert.equal(service("hen").job?.trigger.kind, "refused");
    assert.equal(service("fine").job?.trigger.kind, "after");
  });

  test("with a cron line that never comes does not run, and with a rule runs without it", async () => {
    const { service, said } = await read({
      never: { labels: { "job.schedule": "0 0 30 2 *" } },
      ruled: { labels: { "job.run": "once", "autoscale.max_cpu": "70" } },
    });
    assert.deepEqual(said, [
      'services.never.labels.job.schedule: "0 0 30 2 *" never comes, got "0 0 30 2 *" (the job does not run)',
      "services.ruled.labels.autoscale.max_cpu: has no meaning on a job, which has tasks and no replicas (the job runs without it)",
    ]);
    assert.equal(service("never").job?.trigger.kind, "refused");
    assert.equal(service("never").initialReplicas, 0);
    assert.equal(service("ruled").scaling, undefined);
  });
});
