import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { EventLog } from "../../../api/stream/event-log.ts";

const numbers = (events: ReturnType<EventLog["since"]>) => events?.map(({ seq }) => seq);

describe("the log of the stream", () => {
  test("numbers events from 1 and gives those after a number", () => {
    const log = new EventLog({ events: 10, bytes: 10_000 });
    for (const word of ["a", "b", "c"]) log.add("actions", word, 1_000);
    assert.deepEqual(numbers(log.since(1)), [2, 3]);
    assert.deepEqual(numbers(log.since(3)), []);
    assert.deepEqual(JSON.parse(log.since(2)?.[0]?.text ?? ""), {
      type: "event",
      topic: "actions",
      seq: 3,
      atMs: 1_000,
      data: "c",
    });
  });

  test("says that it does not know what came after a number that it has given up, or has not given", () => {
    const log = new EventLog({ events: 2, bytes: 10_000 });
    for (const word of ["a", "b", "c"]) log.add("actions", word, 0);
    assert.equal(log.since(0), undefined);
    assert.deepEqual(numbers(log.since(1)), [2, 3]);
    assert.equal(log.since(4), undefined);
  });

  test("samples have numbers and are not kept, which is no gap", () => {
    const log = new EventLog({ events: 10, bytes: 10_000 });
    log.add("actions", "a", 0);
    for (let i = 0; i < 100; i += 1) log.add("samples", i, 0);
    assert.equal(log.seq, 101);
    assert.deepEqual(numbers(log.since(1)), []);
    assert.deepEqual(numbers(log.since(0)), [1]);
  });

  test("property: who comes back misses nothing, or is told so; and what is kept stays within its bounds", () => {
    const happening = fc.record({
      topic: fc.constantFrom("samples" as const, "decisions" as const, "actions" as const),
      data: fc.string({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), fc.nat(60), (all, leftAfter) => {
        const limits = { events: 20, bytes: 3_000 };
        const log = new EventLog(limits);
        const events = all.map(({ topic, data }) => log.add(topic, data, 0));
        const seq = Math.min(leftAfter, events.length);
        const missed = events.slice(seq).filter(({ topic }) => topic !== "samples");
        const given = log.since(seq);
        if (given !== undefined) assert.deepEqual(given, missed);
        else {
          const tooMany = events.filter(({ topic }) => topic !== "samples").length > limits.events;
          const tooLong = events.reduce((sum, { text }) => sum + text.length, 0) > limits.bytes;
          assert.ok(tooMany || tooLong);
        }
        const kept = log.since(0) ?? [];
        assert.ok(kept.length <= limits.events);
        assert.ok(kept.reduce((sum, { text }) => sum + text.length, 0) <= limits.bytes);
      }),
    );
  });
});
