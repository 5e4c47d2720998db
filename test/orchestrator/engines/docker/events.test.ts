import assert from "node:assert/strict";
import { test } from "node:test";
import { concerns } from "../../../../orchestrator/engines/docker/events.ts";

const WATCHED = {
  projects: new Set(["shop"]),
  networks: new Set(["shop_default"]),
  volumes: new Set(["shop_data"]),
};

function container(Action: string, project: string) {
  return {
    Type: "container",
    Action,
    Actor: { ID: "1", Attributes: { "com.docker.compose.project": project } },
  };
}

test("what happens to a container of an observed project is a hint", () => {
  for (const action of [
    "create",
    "start",
    "die",
    "oom",
    "pause",
    "destroy",
    "rename",
    "health_status: healthy",
  ]) {
    assert.equal(concerns(container(action, "shop"), WATCHED), true, action);
    assert.equal(concerns(container(action, "other"), WATCHED), false, action);
  }
  assert.equal(concerns({ Type: "container", Action: "die", Actor: { ID: "1" } }, WATCHED), false);
});

test("a healthcheck's own commands are not", () => {
  for (const action of ["exec_create: true", "exec_start: true", "exec_die", "top", "attach"]) {
    assert.equal(concerns(container(action, "shop"), WATCHED), false, action);
  }
});

test("networks and volumes are known by their names", () => {
  const network = (name: string) => ({
    Type: "network",
    Action: "destroy",
    Actor: { ID: "1", Attributes: { name } },
  });
  assert.equal(concerns(network("shop_default"), WATCHED), true);
  assert.equal(concerns(network("bridge"), WATCHED), false);
  const volume = (Action: string, ID: string) => ({ Type: "volume", Action, Actor: { ID, Attributes: {} } });
  assert.equal(concerns(volume("destroy", "shop_data"), WATCHED), true);
  assert.equal(concerns(volume("mount", "shop_data"), WATCHED), false);
  assert.equal(concerns(volume("create", "other"), WATCHED), false);
});

test("a pulled or removed image is a hint, whoever asked", () => {
  assert.equal(concerns({ Type: "image", Action: "pull", Actor: { ID: "a" } }, WATCHED), true);
  assert.equal(concerns({ Type: "daemon", Action: "reload" }, WATCHED), false);
});
