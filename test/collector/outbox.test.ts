import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Outbox } from "../../collector/outbox.ts";

describe("the outbox", () => {
  test("sends at once while the other side takes everything", () => {
    const sent: number[] = [];
    const outbox = new Outbox<number>(3, (item) => sent.push(item) > 0);
    for (const item of [1, 2, 3, 4, 5]) outbox.put(item);
    assert.deepEqual(sent, [1, 2, 3, 4, 5]);
    assert.equal(outbox.dropped, 0);
  });

  test("gives up the oldest, counts it, and sends the rest in order later", () => {
    let open = false;
    const sent: [item: number, dropped: number][] = [];
    const outbox = new Outbox<number>(3, (item, dropped) => {
      if (open) sent.push([item, dropped]);
      return open;
    });
    for (const item of [1, 2, 3, 4, 5]) outbox.put(item);
    assert.equal(outbox.waiting, 3);
    open = true;
    outbox.flush();
    assert.deepEqual(sent, [
      [3, 2],
      [4, 2],
      [5, 2],
    ]);
  });
});
