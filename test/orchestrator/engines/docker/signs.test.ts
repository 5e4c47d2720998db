import assert from "node:assert/strict";
import { test } from "node:test";
import { signOf } from "../../../../orchestrator/engines/docker/signs.ts";

const label = (key: string) => `com.docker.compose.${key}`;
const REPLICA = { [label("project")]: "shop", [label("service")]: "web", [label("oneoff")]: "False" };
const BY_COMPOSE = {
  ...REPLICA,
  [label("config-hash")]: "abc",
  [label("container-number")]: "1",
  [label("version")]: "1.29.2",
};

function sign(Action: string, attributes: Readonly<Record<string, string>> = {}, Type = "container") {
  return signOf({ Type, Action, Actor: { ID: "c1", Attributes: { ...REPLICA, ...attributes } } });
}

test("what somebody asks of a container is a sign; so is its end, and nothing else", () => {
  assert.deepEqual(sign("kill", { signal: "15" }), { kind: "killed", replica: "c1", byForce: false });
  assert.deepEqual(sign("kill", { signal: "9" }), { kind: "killed", replica: "c1", byForce: true });
  assert.deepEqual(sign("die", { exitCode: "137" }), { kind: "ended", replica: "c1" });
  assert.deepEqual(sign("stop"), { kind: "stopped", replica: "c1" });
  assert.deepEqual(sign("start"), { kind: "started", replica: "c1" });
  assert.deepEqual(sign("destroy"), { kind: "removed", replica: "c1" });
  for (const action of ["oom", "rename", "health_status: healthy", "exec_start: sh", "restart"])
    assert.equal(sign(action), undefined, action);
});

test("a signal to read settings again is none, nor is anything of a one-off container, or of what is no container", () => {
  for (const signal of ["1", "10", "12"]) assert.equal(sign("kill", { signal }), undefined);
  assert.equal(sign("stop", { [label("oneoff")]: "True" }), undefined);
  assert.equal(sign("destroy", {}, "network"), undefined);
  assert.equal(signOf({ Type: "container", Action: "stop", Actor: { ID: "c1" } }), undefined);
});

test("a container is made by compose when it carries all that either release of compose writes, and no mark of ours", () => {
  assert.deepEqual(sign("create", BY_COMPOSE), { kind: "created", replica: "c1", byCompose: true });
  assert.deepEqual(sign("create"), { kind: "created", replica: "c1", byCompose: false });
  const ours = sign("create", { ...BY_COMPOSE, "flyball.owner": "i1" });
  assert.deepEqual(ours, { kind: "created", replica: "c1", byCompose: false });
});
