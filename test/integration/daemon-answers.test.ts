import assert from "node:assert/strict";
import { test } from "node:test";
import { documentOf } from "../../api/openapi/document.ts";
import { ROUTES } from "../../api/routes.ts";
import { DeclaredAnswers } from "../api/openapi-answers.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

test("what a daemon answers that has something to tell is what its description promises, field by field", async (t) => {
  const house = await FlyballHouse.open(t);
  const file = house.compose(`  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    ports: ["8080"]
    labels:
      autoscale.max_cpu: "60"
      autoscale.max: "3"
      alert.replicas: "< 3 for 0s"
      business.team: checkout
      metrics.port: "8080"
    deploy: { resources: { limits: { cpus: "0.2" } } }
  broken:
    image: flyball/busybox:lab
    command: ["sh", "-c", "echo cannot; exit 3"]
  backup:
    image: flyball/busybox:lab
    command: ["true"]
    labels: { job.run: manual }
`);
  await house.serve();
  await house.must("up", "-d", "-f", file);
  await house.untilHas(1);
  const [web, broken, backup] = [house.serviceId(), house.serviceId("broken"), house.serviceId("backup")];
  const declared = new DeclaredAnswers(documentOf(ROUTES));
  const untold = new Set(declared.operations);

  const ask = async (operation: string, path: string, body?: unknown): Promise<void> => {
    const method = operation.split(" ", 1)[0] ?? "";
    const answer = await fetch(house.address + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    await declared.assertDeclared(operation, answer);
    assert.ok(answer.ok, `${operation}: ${answer.status}`);
    untold.delete(operation);
  };

  await eventually("a replica has failed", async () => (await house.client.failures(broken)).length > 0);
  const alertId = await eventually("an alert fires", async () => {
    const { alerts } = await house.client.alerts(50);
    return alerts.find(({ state, labels }) => state === "firing" && labels["service"] === web)?.id;
  });
  await eventually(
    "something was decided",
    async () => (await house.client.explain(web, undefined)).decision,
  );

  await ask("GET /readyz", "/readyz");
  await ask("GET /metrics", "/metrics");
  await ask("GET /openapi.json", "/openapi.json");
  await ask("GET /v1/services", "/v1/services");
  for (const id of [web, broken]) await ask("GET /v1/services/{id}", `/v1/services/${id}`);
  await ask("PUT /v1/services/{id}/scale", `/v1/services/${web}/scale`, { replicas: 2, for: "1h" });
  await ask("PUT /v1/services/{id}/autoscale", `/v1/services/${web}/autoscale`, { mode: "paused" });
  await house.untilHas(2);
  await ask("GET /v1/services/{id}/decisions", `/v1/services/${web}/decisions?limit=5&verify=true`);
  await ask("GET /v1/services/{id}/explain", `/v1/services/${web}/explain`);
  await ask("GET /v1/services/{id}/history", `/v1/services/${web}/history`);
  await ask("GET /v1/services/{id}/failures", `/v1/services/${broken}/failures`);
  await ask("GET /v1/services/{id}/logs", `/v1/services/${web}/logs`);
  await ask("GET /v1/services/{id}/endpoints", `/v1/services/${web}/endpoints`);
  await ask("GET /v1/endpoints", "/v1/endpoints");
  await ask("GET /v1/sd/prometheus", "/v1/sd/prometheus?port=all");
  await ask("GET /v1/jobs", "/v1/jobs");
  await ask("POST /v1/jobs/{id}/runs", `/v1/jobs/${backup}/runs`);
  await ask("GET /v1/jobs/{id}/runs", `/v1/jobs/${backup}/runs`);
  await ask("GET /v1/rollouts", "/v1/rollouts");
  await ask("GET /v1/doctor", "/v1/doctor");
  await ask("GET /v1/leftovers", "/v1/leftovers");
  await ask("POST /v1/leftovers/sweep", "/v1/leftovers/sweep", { keys: [] });
  await ask("GET /v1/alerts", "/v1/alerts");
  await ask("POST /v1/alerts/{id}/ack", `/v1/alerts/${alertId}/ack`, { by: "ann" });
  const matchers = [{ name: "service", value: web }];
  await ask("POST /v1/silences", "/v1/silences", { matchers, endsAtMs: Date.now() + 60_000, author: "ann" });
  await ask("GET /v1/silences", "/v1/silences");
  const [silence] = await house.client.silences();
  await ask("DELETE /v1/silences/{id}", `/v1/silences/${silence?.id}`);
  await ask("POST /v1/tokens", "/v1/tokens", { name: "ci", scope: "read", expires: "1h" });
  await ask("GET /v1/tokens", "/v1/tokens");
  await ask("DELETE /v1/tokens/{name}", "/v1/tokens/ci");
  await ask("GET /v1/audit", "/v1/audit");
  await ask("GET /v1/audit/writes", "/v1/audit/writes");
  const services = { web: { image: "flyball/busybox:lab", command: ["sleep", "1000"] } };
  const project = { compose: { services }, workingDirectory: house.directory, composeFiles: [file] };
  await ask("POST /v1/projects/{name}/plan", `/v1/projects/${house.project}/plan`, project);
  await ask("PUT /v1/projects/{name}", `/v1/projects/${house.project}`, project);
  await ask("DELETE /v1/projects/{name}", `/v1/projects/${house.project}`);
  await house.untilHas(0);

  // What takes a rollout, a channel or an upgrade is held against the description where these are told of.
  assert.deepEqual([...untold].sort(), [
    "GET /healthz",
    "GET /v1/stream",
    "POST /v1/channels/{name}/test",
    "PUT /v1/services/{id}/rollback",
    "PUT /v1/services/{id}/rollout/resume",
    "PUT /v1/services/{id}/trial",
  ]);
});
