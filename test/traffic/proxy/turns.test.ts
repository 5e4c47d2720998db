import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Turns } from "../../../traffic/proxy/turns.ts";

function server(weight: number, open = 0) {
  return { weight, open };
}

describe("whose turn it is", () => {
  test("is counted out by weight, and evenly spread", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 500 }), (those, count) => {
        const servers = those.map((weight) => server(weight));
        const turns = new Turns();
        const had = new Map(servers.map((one) => [one, 0]));
        for (let turn = 1; turn <= count; turn += 1) {
          const next = turns.next(servers);
          assert.ok(next !== undefined);
          had.set(next as (typeof servers)[number], (had.get(next as (typeof servers)[number]) ?? 0) + 1);
        }
        const total = those.reduce((sum, weight) => sum + weight, 0);
        for (const one of servers) {
          const share = (count * one.weight) / total;
          assert.ok(Math.abs((had.get(one) ?? 0) - share) <= servers.length, `${had.get(one)} of ${share}`);
        }
      }),
    );
  });

  test("comes to one that is new as to others, without a burst for what it has missed", () => {
    const [old, fresh] = [server(100), server(100)];
    const turns = new Turns();
    for (let turn = 0; turn < 1_000; turn += 1) turns.next([old]);
    const next = Array.from({ length: 10 }, () => turns.next([old, fresh]));
    assert.equal(next.filter((one) => one === fresh).length, 5);
  });

  test("is that of the one that has least to do for its weight, where it is asked for", () => {
    const [busy, small, idle] = [server(100, 9), server(20, 2), server(100, 0)];
    const turns = new Turns<typeof busy>();
    assert.equal(turns.leastBusy([busy, small]), busy);
    assert.equal(turns.leastBusy([busy, small, idle]), idle);
    assert.equal(turns.leastBusy([]), undefined);
  });

  test("goes round among those that have nothing to do, and comes to one that ramps up less often", () => {
    const [full, ramping] = [server(100), server(20)];
    const turns = new Turns<typeof full>();
    const next = Array.from({ length: 60 }, () => turns.leastBusy([full, ramping]));
    assert.equal(next.filter((one) => one === ramping).length, 10);
  });
});
