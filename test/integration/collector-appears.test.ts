import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Docker from "dockerode";
import { FlyballAgent } from "../lab/agent.ts";
import { LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually } from "./flyball-daemon.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);

/** The goal is 1.2 s and 5 s; the rest is for machines that do much else. */
const PATIENCE_MS = 10_000;

if (skip !== false) test("flyball agent beside a real engine", { skip }, () => {});

for (const lab of engines) {
  describe(`flyball agent beside Docker ${lab.name}`, () => {
    test("shows a container soon after its start, its own metrics with it, and loses it soon after its end", async (t) => {
      await using agent = await FlyballAgent.start(lab.socketPath);
      const docker = new Docker({ socketPath: lab.socketPath });
      const name = `appears-${process.pid}`;
      const container = await docker.createContainer({
        name,
        Image: LAB_IMAGE,
        Cmd: [
          "sh",
          "-c",
          "printf '# TYPE jobs_total counter\\njobs_total{kind=\"mail\"} 5\\n' > /www/jobs; exec httpd -f -p 8080 -h /www",
        ],
        Labels: {
          "metrics.port": "8080",
          "metrics.path": "/jobs",
          "business.team": "checkout",
          "com.docker.compose.project": "shop",
          "com.docker.compose.service": "web",
        },
        HostConfig: { Init: true },
      });
      const isShown = async () =>
        (await agent.page()).includes(`container_cpu_usage_seconds_total{`) &&
        (await agent.page()).includes(`name="${name}"`);
      try {
        const startingMs = performance.now();
        await container.start();
        const startedMs = performance.now();
        await eventually("it is shown", isShown, { patienceMs: PATIENCE_MS, about: () => agent.said });
        const shownMs = performance.now();
        const own = await eventually(
          "its own metrics are offered",
          async () => {
            const text = await (await fetch(`${agent.url}/applications`)).text();
            return text.includes("jobs_total{") && text;
          },
          { patienceMs: PATIENCE_MS, about: () => agent.said },
        );
        assert.ok(
          own.includes(`jobs_total{service="shop_web",replica="${name}",team="checkout",kind="mail"} 5\n`),
          own,
        );
        const endedMs = performance.now();
        await container.remove({ force: true });
        const removedMs = performance.now();
        await eventually("it is gone", async () => !(await isShown()), { patienceMs: PATIENCE_MS });
        t.diagnostic(
          `started in ${Math.round(startedMs - startingMs)} ms, shown ${Math.round(shownMs - startedMs)} ms after; ` +
            `removed in ${Math.round(removedMs - endedMs)} ms, gone ${Math.round(performance.now() - removedMs)} ms after`,
        );
      } finally {
        await container.remove({ force: true }).catch(() => {});
      }
      assert.match(
        agent.said,
        /flyball agent: containers of unix:.*; metrics at http:\/\/127\.0\.0\.1:\d+\/metrics$/mu,
      );
    });
  });
}
