import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaTemplate } from "../../../../core/types.ts";
import { checkProject } from "../../../../orchestrator/engines/docker/check.ts";
import { aProject, aService, aTemplate } from "./builders.ts";

function problemsOf(template: Partial<ReplicaTemplate>, seesHost = true): string[] {
  const project = aProject("shop", [aService("shop", "web", { template: aTemplate(template) })]);
  return checkProject(project, seesHost).map(
    ({ severity, path, message }) => `${severity} ${path}: ${message}`,
  );
}

test("an ordinary service is fine", () => {
  assert.deepEqual(
    problemsOf({ container: { securityOpt: ["seccomp=unconfined", "no-new-privileges"] } }),
    [],
  );
});

test("a service that is only built needs an image", () => {
  const { image: _, ...template } = aTemplate();
  const project = aProject("shop", [aService("shop", "web", { template })]);
  const [problem] = checkProject(project, true);
  assert.equal(problem?.severity, "error");
  assert.equal(problem?.path, "services.web.image");
  assert.match(problem?.message ?? "", /needs image: with the Docker engine/u);
});

test("a bind of what does not exist is told before, unless the engine makes it or is elsewhere", () => {
  const mount = { type: "bind", source: "/no/such/path", target: "/x", readOnly: true } as const;
  assert.deepEqual(problemsOf({ mounts: [mount] }), [
    "error services.web.volumes: expected an existing path to mount, got /no/such/path",
  ]);
  assert.deepEqual(problemsOf({ mounts: [{ ...mount, createHostPath: true }] }), []);
  assert.deepEqual(problemsOf({ mounts: [mount] }, false), []);
  assert.deepEqual(problemsOf({ mounts: [{ ...mount, source: "/" }] }), []);
});

test("a profile by its file, a reservation of CPU, and a network of a service that is not there", () => {
  assert.match(
    problemsOf({ container: { securityOpt: ["seccomp:./profile.json"] } }).join(),
    /^error .*security_opt: .*profile/u,
  );
  assert.match(problemsOf({ resources: { reservedCores: 1 } }).join(), /^warning .*reservations\.cpus/u);
  assert.match(
    problemsOf({ networkMode: "service:db" }).join(),
    /^error services\.web\.network_mode: .*"db"/u,
  );
  assert.deepEqual(problemsOf({ networkMode: "service:web" }), []);
});
