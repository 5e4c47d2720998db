import assert from "node:assert/strict";
import { test } from "node:test";
import type { LabelSettings } from "../../core/labels.ts";
import { readProjectRequest } from "../../orchestrator/project-request.ts";

const REQUEST = {
  compose: {
    name: "shop",
    services: {
      web: { image: "shop/web", labels: { "autoscale.min": "2" } },
      jobs: { image: "shop/jobs", labels: { "autoscale.query": "waiting", "autoscale.query_max": "5" } },
      db: { image: "shop/db" },
    },
  },
  workingDirectory: "/srv/shop",
  composeFiles: ["/srv/shop/compose.yaml"],
};

async function read(settings?: LabelSettings) {
  const { project, diagnostics } = await readProjectRequest("shop", REQUEST, settings);
  const rules = Object.fromEntries(
    project.services.map(({ name, scaling }) => [name, scaling?.rules.map(({ metric }) => metric)]),
  );
  return { rules, said: diagnostics.map(({ path, message }) => `${path}: ${message}`) };
}

test("a daemon's defaults hold for the services of a project that say anything of scaling", async () => {
  const { rules, said } = await read({ defaults: { max_cpu: "70" }, hasPrometheus: true });
  assert.deepEqual(rules, { web: ["cpu"], jobs: ["cpu", "query"], db: undefined });
  assert.deepEqual(said, []);
});

test("a project is told what it lacks for its labels: a rule, a Prometheus to ask", async () => {
  const { rules, said } = await read({ hasPrometheus: false });
  assert.deepEqual(rules, { web: undefined, jobs: ["query"], db: undefined });
  assert.equal(said.length, 2);
  assert.match(
    said.join("\n"),
    /services\.jobs\.labels\.autoscale\.query: cannot be asked: the configuration names no prometheus/,
  );
  assert.match(said.join("\n"), /services\.web\.labels: expected a rule to scale by/);
});
