import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { WebSocket } from "ws";
import { decisionSchema } from "../../core/wire.ts";
import {
  type ActionEvent,
  actionEventSchema,
  type ServerFrame,
  samplesSchema,
  serverFrameSchema,
} from "../../core/wire-stream.ts";
import { busyService, eventually, FlyballHouse } from "./flyball-daemon.ts";

test("a service that is busy gets more replicas, and loses them when it is not", async (t) => {
  const house = await FlyballHouse.open(t);
  const file = house.compose(busyService("2s"));
  await house.serve();
  await house.must("up", "-f", file);
  await house.untilHas(1);
  using told = await listen(house);
  const busy = house.write("busy", "");
  await house.untilHas(3);
  rmSync(busy);
  await house.untilHas(1);

  const id = house.serviceId();
  const changes = await eventually("the decisions are told", () =>
    house.client.decisions(id, { limit: 10, changesOnly: true }),
  );
  const steps = changes.toReversed().map(({ from, to }) => [from, to]);
  assert.equal(steps[0]?.[0], 1);
  assert.ok((steps[0]?.[1] ?? 0) > 1, "the first change is a scale-out");
  assert.deepEqual(steps.at(-1)?.at(-1), 1);
  await eventually("the last removal is told", () => actionsIn(told.events).some(isDone("remove", id)));
  assertTold(told.events, id);
  const explained = await house.must("explain", "web");
  assert.match(explained, /cpu/i);
  await house.must("down", "-f", file);
  await house.untilHas(0);
  await eventually("the project is forgotten", async () => (await house.client.services()).length === 0);
  assert.equal(await house.stop(), 0);
  await house.assertNothingLeft();
});

type StreamEvent = Extract<ServerFrame, { type: "event" }>;

/** Somebody who listens at the daemon's stream to all that it tells. */
async function listen(
  house: FlyballHouse,
): Promise<Disposable & { readonly events: readonly StreamEvent[] }> {
  const events: StreamEvent[] = [];
  const socket = new WebSocket(`ws${house.address.slice("http".length)}/v1/stream`, "flyball.v1");
  const { promise: isSubscribed, resolve, reject } = Promise.withResolvers<void>();
  socket.on("error", reject);
  socket.on("message", (data) => {
    const frame = serverFrameSchema.parse(JSON.parse(String(data)));
    if (frame.type === "event") events.push(frame);
    else if (frame.type === "subscribed") resolve();
    else if (frame.type === "hello")
      socket.send(JSON.stringify({ type: "subscribe", topics: ["samples", "decisions", "actions"] }));
  });
  await isSubscribed;
  return { events, [Symbol.dispose]: () => socket.terminate() };
}

function actionsIn(events: readonly StreamEvent[]): ActionEvent[] {
  return events.filter(({ topic }) => topic === "actions").map(({ data }) => actionEventSchema.parse(data));
}

function isDone(verb: string, service: string): (action: ActionEvent) => boolean {
  return (one) => one.service === service && one.action.startsWith(verb) && one.outcome === "done";
}

/** The whole way was told: readings, the decision, and what was done for it, in the order of the numbers. */
function assertTold(events: readonly StreamEvent[], service: string): void {
  const dataOf = (topic: StreamEvent["topic"]) =>
    events.filter((event) => event.topic === topic).map(({ data }) => data);
  const loads = dataOf("samples").map((data) => samplesSchema.parse(data).services[0]?.load.cpuRatio ?? 0);
  assert.ok(Math.max(...loads) > 0.6, `samples show the load: ${loads}`);
  const decided = dataOf("decisions").map((data) => decisionSchema.parse(data));
  assert.ok(decided.some(({ from, to }) => to > from) && decided.some(({ from, to }) => to < from));
  for (const verb of ["create", "start", "stop", "remove"]) {
    assert.ok(actionsIn(events).some(isDone(verb, service)), verb);
  }
  const numbers = events.map(({ seq }) => seq);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
}
