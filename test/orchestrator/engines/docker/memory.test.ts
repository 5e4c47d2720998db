import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "../../../../orchestrator/engines/docker/memory.ts";
import { anInspection, CONTAINER_ID } from "./builders.ts";

const container = anInspection({});

test("without an event stream nothing is remembered of what may change", () => {
  const memory = new Memory();
  memory.keepContainer(container, "running ", memory.epoch, 0);
  memory.keepImage("shop/web", "sha256:1", memory.epoch, 0);
  assert.equal(memory.container(CONTAINER_ID, "running ", 0), undefined);
  assert.equal(memory.imageId("shop/web", 0), undefined);
});

test("with one it is, until the list says otherwise, an event comes, the stream ends, or it is old", () => {
  const memory = new Memory();
  const keep = (): void => {
    memory.hearsEvents = true;
    memory.keepContainer(container, "running ", memory.epoch, 0);
    memory.keepImage("shop/web", "sha256:1", memory.epoch, 0);
    assert.equal(memory.container(CONTAINER_ID, "running ", 5_000), container);
    assert.equal(memory.imageId("shop/web", 5_000), "sha256:1");
  };
  keep();
  assert.equal(memory.container(CONTAINER_ID, "running unhealthy", 5_000), undefined);
  assert.equal(memory.container(CONTAINER_ID, "running ", 10_000), undefined);
  assert.equal(memory.imageId("shop/web", 10_000), undefined);
  keep();
  memory.forgetContainer(CONTAINER_ID);
  memory.forgetImages();
  assert.equal(memory.container(CONTAINER_ID, "running ", 0), undefined);
  assert.equal(memory.imageId("shop/web", 0), undefined);
  keep();
  memory.hearsEvents = false;
  assert.equal(memory.container(CONTAINER_ID, "running ", 0), undefined);
});

test("an answer that was under way when an event came is not kept", () => {
  const memory = new Memory();
  memory.hearsEvents = true;
  const { epoch } = memory;
  memory.forgetContainer(CONTAINER_ID);
  memory.keepContainer(container, "running ", epoch, 0);
  assert.equal(memory.container(CONTAINER_ID, "running ", 0), undefined);
});

test("since when a replica is ready is remembered of each run, and of containers that exist", () => {
  const memory = new Memory();
  memory.keepReady(container, 42);
  assert.equal(memory.readyAtMs(container), 42);
  assert.equal(memory.readyAtMs(anInspection({ state: { StartedAt: "2026-02-02T00:00:00Z" } })), undefined);
  memory.keepOnly(new Set([CONTAINER_ID]));
  assert.equal(memory.readyAtMs(container), 42);
  memory.keepOnly(new Set());
  assert.equal(memory.readyAtMs(container), undefined);
});
