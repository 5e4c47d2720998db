import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ProxyBackend } from "../../../traffic/proxy/backend.ts";
import type { Backend } from "../../../traffic/table.ts";

const NAMES = ["a", "b", "c", "d"];

function backend(
  servers: readonly Partial<Backend["servers"][number]>[],
  more: Partial<Backend> = {},
): Backend {
  return {
    name: "web:80",
    service: "web",
    mode: "http",
    sticky: false,
    timeoutMs: 1_000,
    byShare: false,
    servers: servers.map(({ name = "a", host = "10.0.0.1", port = 80, weight = 100 }) => ({
      name,
      replica: name,
      host,
      port,
      weight,
    })),
    ...more,
  };
}

const anyServers = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom(...NAMES),
    host: fc.constantFrom("10.0.0.1", "10.0.0.2"),
    weight: fc.integer({ min: 1, max: 100 }),
  }),
  { selector: ({ name }) => name },
);

describe("the servers of a back-end", () => {
  test("are those that were asked for last; who has left takes nothing new and stays until it has nothing", () => {
    const step = fc.record({ servers: anyServers, busy: fc.uniqueArray(fc.constantFrom(...NAMES)) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        const kept = new ProxyBackend(backend([]));
        for (const { servers, busy } of steps) {
          kept.keep(backend(servers));
          assert.equal(kept.keep(backend(servers)) && kept.servers.every(({ isOpen }) => isOpen), false);
          const open = kept.servers.filter(({ isOpen }) => isOpen);
          const shown = (all: readonly { name: string; host: string; weight: number }[]) =>
            all.map(({ name, host, weight }) => `${name} ${host} ${weight}`).sort();
          assert.deepEqual(shown(open), shown(servers));
          for (const server of kept.servers) assert.ok(server.isOpen || server.open > 0);
          for (let turn = 0; turn < 10; turn += 1) {
            const picked = kept.pick(new Set());
            assert.equal(picked?.isOpen ?? servers.length === 0, true);
          }
          for (const server of kept.servers) {
            if (busy.includes(server.name) && server.open === 0) server.tally.begin();
            else if (!busy.includes(server.name) && server.open > 0) server.tally.end();
          }
        }
      }),
    );
  });

  test("keep what they have counted when they move to another address", () => {
    const kept = new ProxyBackend(backend([{ name: "a" }]));
    kept.servers[0]?.tally.begin();
    kept.keep(backend([{ name: "a", host: "10.0.0.9" }]));
    assert.deepEqual(
      kept.counted().map(({ server, requests, open }) => [server, requests, open]),
      [
        [undefined, 0, 0],
        ["a", 1, 1],
      ],
    );
  });

  test("are asked in the place of one that a client sticks to only when that one is not there", () => {
    const kept = new ProxyBackend(backend([{ name: "a" }, { name: "b" }]));
    const mark = kept.servers.find(({ name }) => name === "b")?.mark;
    for (let turn = 0; turn < 5; turn += 1) assert.equal(kept.pick(new Set(), mark)?.name, "b");
    kept.close("b");
    assert.equal(kept.pick(new Set(), mark)?.name, "a");
  });

  test("are none while a service sleeps, and who asks is held; nobody is held where somebody is there and fails", () => {
    const waker = { host: "127.0.0.1", port: 1 };
    const kept = new ProxyBackend(backend([], { waker }));
    const held = kept.pick(new Set());
    assert.equal(held?.name, "waker");
    assert.equal(held !== undefined && kept.isCounted(held), false);
    kept.keep(backend([{ name: "a" }], { waker }));
    const server = kept.pick(new Set());
    assert.ok(server !== undefined && kept.isCounted(server));
    assert.equal(kept.pick(new Set([server])), undefined);
  });
});
