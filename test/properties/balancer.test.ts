import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ObservedReplica, Service } from "../../core/types.ts";
import { type Command, changesTo, type Running, type RunningServer } from "../../traffic/changes.ts";
import { haproxyConfig } from "../../traffic/haproxy/config-text.ts";
import { quantileMs } from "../../traffic/latency.ts";
import { buildTable, type TableInput, type TrafficTable } from "../../traffic/table.ts";
import { door, HTTP, replica, service } from "../traffic/builders.ts";

const structureOf = (table: TrafficTable) => haproxyConfig(table, { isRoot: false }).structure;

/** A balancer as HAProxy is one, without the traffic: what it has, and what it refuses. */
class Model {
  running: Running;
  readonly #servers = new Map<string, RunningServer>();

  constructor(table: TrafficTable) {
    this.running = { structure: structureOf(table), servers: [] };
    for (const { name: backend, servers } of table.backends) {
      for (const { replica: _, ...server } of servers) {
        this.#servers.set(`${backend}/${server.name}`, { backend, open: true, ...server });
      }
    }
    this.#show();
  }

  /** @param busy servers with connections, which cannot be deleted */
  tell(command: Command, busy: ReadonlySet<string>): void {
    const { backend, server: name } = command;
    const key = `${backend}/${name}`;
    const has = this.#servers.get(key);
    if (command.kind === "add") {
      assert.equal(has, undefined, "a name is taken once");
      const { host, port, weight } = command;
      this.#servers.set(key, { backend, name, host, port, weight, open: false });
    } else {
      assert.ok(has !== undefined, "it speaks of servers that are there");
      if (command.kind === "forget") {
        assert.equal(has.open, false, "only one in maintenance can be deleted");
        if (!busy.has(name)) this.#servers.delete(key);
      } else if (command.kind === "open" || command.kind === "close") {
        this.#servers.set(key, { ...has, open: command.kind === "open" });
      } else if (command.kind === "weigh") this.#servers.set(key, { ...has, weight: command.weight });
      else this.#servers.set(key, { ...has, host: command.host, port: command.port });
    }
    this.#show();
  }

  /** Brings it to the table, by commands or a reload. */
  bring(table: TrafficTable, busy: ReadonlySet<string> = new Set()): Model {
    const changes = changesTo({ table, structure: structureOf(table) }, this.running);
    if (changes.kind === "reload") return new Model(table);
    for (const command of changes.kind === "commands" ? changes.commands : []) this.tell(command, busy);
    return this;
  }

  open(): RunningServer[] {
    return this.running.servers.filter(({ open }) => open);
  }

  #show(): void {
    this.running = { ...this.running, servers: [...this.#servers.values()] };
  }
}

const NAMES = ["ant", "bee", "cat", "dog"];
const DOMAINS = ["a.example", "b.example"];

const anyDoor = fc.oneof(
  fc
    .record({
      domains: fc.uniqueArray(fc.constantFrom(...DOMAINS), { maxLength: 2 }),
      path: fc.constantFrom("/", "/api"),
      port: fc.constantFrom(80, 81),
    })
    .map((more) => door(more)),
  fc.constantFrom(5432, 5433, 8080).map((port) => door({ mode: "tcp", listen: { port } })),
  fc.constantFrom(8080, 9000).map((port) => door({ listen: { port } })),
);

const anyServices: fc.Arbitrary<Service[]> = fc
  .uniqueArray(fc.constantFrom(...NAMES), { maxLength: 4 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .tuple(fc.array(anyDoor, { minLength: 1, maxLength: 3 }), fc.boolean())
          .map(([doors, sticky]) => service(name, doors, { sticky })),
      ),
    ),
  );

const anyReplicas: fc.Arbitrary<ObservedReplica[]> = fc.uniqueArray(
  fc
    .tuple(
      fc.constantFrom(...NAMES),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom("running", "running", "starting", "unhealthy", "stopping"),
      fc.constantFrom("10.0.0.1", "10.0.0.2"),
    )
    .map(([of, slot, state, host]) =>
      replica(`${of}-${slot}`, of, {
        state: state as ObservedReplica["state"],
        endpoints: [80, 81].map((port) => ({ targetPort: port, host, port })),
      }),
    ),
  { selector: ({ id }) => id, maxLength: 12 },
);

const anyInput: fc.Arbitrary<TableInput> = fc
  .record({
    services: anyServices,
    replicas: anyReplicas,
    complete: fc.boolean(),
    draining: fc.uniqueArray(fc.constantFrom(...NAMES.map((name) => `${name}-1`))),
    taken: fc.subarray(["127.0.0.1:5432", "127.0.0.1:9000"]),
    agesMs: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 0, max: 10_000 }))),
  })
  .map(({ draining, taken, agesMs, ...rest }) => ({
    ...rest,
    draining: new Set(draining),
    taken: new Map(taken.map((address) => [address, "taken"])),
    sinceMs: new Map(agesMs.map(([name, ageMs]) => [`${name}-1`, 1_000_000 - ageMs])),
    http: HTTP,
    owners: {},
    nowMs: 1_000_000,
  }));

/** Tables as they follow each other: each knows the one before. */
function follow(inputs: readonly TableInput[]): TrafficTable[] {
  const tables: TrafficTable[] = [];
  for (const input of inputs) {
    const previous = tables.at(-1);
    tables.push(
      buildTable({ ...input, ...(previous === undefined ? {} : { previous, owners: previous.owners }) }),
    );
  }
  return tables;
}

const manyInputs = fc.array(anyInput, { minLength: 1, maxLength: 6 });

describe("whatever services and replicas there are", () => {
  test("a host with a path, and an address, lead to one back-end, and each door leads somewhere or is told of", () => {
    fc.assert(
      fc.property(manyInputs, (inputs) => {
        for (const table of follow(inputs)) {
          const addresses = table.fronts.map(({ host, port }) => `${host}:${port}`);
          assert.equal(new Set(addresses).size, addresses.length);
          const names = new Set(table.backends.map(({ name }) => name));
          for (const { mode, routes } of table.fronts) {
            const keys = routes.map(({ domain, path }) => `${domain ?? "*"}${path}`);
            assert.equal(new Set(keys).size, keys.length);
            if (mode === "tcp") assert.equal(routes.length, 1);
            for (const { backend } of routes) assert.ok(names.has(backend));
          }
        }
      }),
    );
  });

  test("who had a name keeps it for as long as it asks for it", () => {
    fc.assert(
      fc.property(manyInputs, (inputs) => {
        const tables = follow(inputs);
        for (const [index, table] of tables.entries()) {
          const input = inputs[index];
          assert.ok(input !== undefined);
          for (const [key, backend] of Object.entries(tables[index - 1]?.owners ?? {})) {
            const asksStill = input.services.some((one) => {
              const alone = buildTable({ ...input, services: [one], taken: new Map() });
              return alone.owners[key] === backend;
            });
            const owner = table.owners[key];
            if (asksStill)
              assert.ok(owner === backend || owner === undefined, `${key}: ${backend} → ${owner}`);
          }
        }
      }),
    );
  });

  test("commands and reloads bring a balancer to the table, and then there is nothing more to do", () => {
    fc.assert(
      fc.property(manyInputs, (inputs) => {
        const [first, ...rest] = follow(inputs);
        assert.ok(first !== undefined);
        let model = new Model(first);
        for (const table of rest) {
          model = model.bring(table);
          // Those that were closed are deleted by the next look.
          model = model.bring(table);
          const wanted = table.backends.flatMap(({ name: backend, servers }) =>
            servers.map(({ replica: _, ...server }) => ({ backend, open: true, ...server })),
          );
          const byName = (a: RunningServer, b: RunningServer) =>
            `${a.backend}/${a.name}` < `${b.backend}/${b.name}` ? -1 : 1;
          assert.deepEqual([...model.running.servers].sort(byName), wanted.sort(byName));
          const again = changesTo({ table, structure: structureOf(table) }, model.running);
          assert.deepEqual(again, { kind: "none" });
        }
      }),
    );
  });

  test("who drains, or is not ready, takes nothing new, even while it cannot be deleted", () => {
    fc.assert(
      fc.property(
        manyInputs,
        fc.uniqueArray(fc.constantFrom(...NAMES.map((name) => `${name}-1`))),
        (inputs, busy) => {
          const tables = follow(inputs);
          let model: Model | undefined;
          for (const [index, table] of tables.entries()) {
            model = model === undefined ? new Model(table) : model.bring(table, new Set(busy));
            const input = inputs[index];
            for (const { name } of model.open()) {
              assert.equal(input?.draining.has(name), false);
              const known = input?.replicas.find(({ id }) => id === name);
              assert.ok(known?.state === "running" || (known === undefined && input?.complete === false));
            }
          }
        },
      ),
    );
  });

  test("no back-end is without a server while commands bring in another", () => {
    fc.assert(
      fc.property(anyInput, anyReplicas, (input, after) => {
        const [before, next] = follow([input, { ...input, replicas: after, complete: true }]);
        assert.ok(before !== undefined && next !== undefined);
        const model = new Model(before);
        const changes = changesTo({ table: next, structure: structureOf(next) }, model.running);
        if (changes.kind !== "commands") return;
        const staffed = (table: TrafficTable) =>
          table.backends.filter(({ servers }) => servers.length > 0).map(({ name }) => name);
        const always = staffed(before).filter((name) => staffed(next).includes(name));
        for (const command of changes.commands) {
          model.tell(command, new Set());
          for (const name of always) assert.ok(model.open().some(({ backend }) => backend === name));
        }
      }),
    );
  });

  test("the same is said in the same words", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const shuffled = {
          ...input,
          services: input.services.toReversed(),
          replicas: input.replicas.toReversed(),
        };
        assert.deepEqual(buildTable(shuffled).backends, buildTable(input).backends);
        const options = { isRoot: true };
        assert.equal(
          haproxyConfig(buildTable(shuffled), options).text,
          haproxyConfig(buildTable(input), options).text,
        );
      }),
    );
  });
});

test("a quantile never falls as its share grows", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 20, maxLength: 20 }), (histogram) => {
      const quantiles = [0.1, 0.5, 0.9, 0.95, 1].flatMap((share) => quantileMs(histogram, share) ?? []);
      assert.deepEqual(
        quantiles,
        quantiles.toSorted((a, b) => a - b),
      );
    }),
  );
});
