import type { Migrations, Store } from "../../core/store.ts";
import type { ReplicaId, ServiceId } from "../../core/types.ts";
import type { Memory, Seat, ServiceMemory } from "./look.ts";

const MIGRATIONS: Migrations = {
  room: "last-seen",
  steps: [
    `CREATE TABLE seen_services (
       service TEXT PRIMARY KEY,
       engine TEXT NOT NULL,
       seats TEXT NOT NULL
     ) STRICT;
     CREATE TABLE own_work (
       replica TEXT PRIMARY KEY
     ) STRICT`,
  ],
};

/**
 * How each service looked when all was quiet, and which replicas we were taking away, in the store: a daemon that
 * starts tells by it what was done while none ran from what the one before it left half done.
 */
export class LastSeen {
  readonly #store: Store;
  readonly #engine: string;
  #seats: ReadonlyMap<ServiceId, readonly Seat[]>;
  readonly #own = new Set<ReplicaId>();

  /** @param engine where the replicas were seen; of those of another one nothing can be told */
  constructor(store: Store, engine: string) {
    this.#store = store;
    this.#engine = engine;
    store.migrate(MIGRATIONS);
    store.run("DELETE FROM seen_services WHERE engine <> ?", engine);
    this.#seats = new Map(
      store
        .all("SELECT service, seats FROM seen_services")
        .map(({ service, seats }) => [String(service), JSON.parse(String(seats)) as readonly Seat[]]),
    );
    for (const { replica } of store.all("SELECT replica FROM own_work")) this.#own.add(String(replica));
  }

  /** As a daemon finds it that starts. */
  get memory(): Memory {
    return new Map(
      [...this.#seats].map(([id, seats]): [ServiceId, ServiceMemory] => [id, { seats, isFromBefore: true }]),
    );
  }

  get own(): ReadonlySet<ReplicaId> {
    return this.#own;
  }

  /** Whether there is anything to write. */
  differs(memory: Memory): boolean {
    if (memory.size !== this.#seats.size) return true;
    for (const [id, { seats }] of memory) if (this.#seats.get(id) !== seats) return true;
    return false;
  }

  /** Writes it, within the caller's transaction; `kept` follows when that has succeeded. */
  write(memory: Memory): void {
    for (const id of this.#seats.keys()) if (!memory.has(id)) this.#drop(id);
    for (const [id, { seats }] of memory) {
      if (this.#seats.get(id) === seats) continue;
      this.#store.run(
        "INSERT OR REPLACE INTO seen_services (service, engine, seats) VALUES (?, ?, ?)",
        id,
        this.#engine,
        JSON.stringify(seats),
      );
    }
  }

  kept(memory: Memory): void {
    this.#seats = new Map([...memory].map(([id, { seats }]) => [id, seats]));
  }

  forget(services: ReadonlySet<ServiceId>): void {
    for (const id of services) this.#drop(id);
    this.#seats = new Map([...this.#seats].filter(([id]) => !services.has(id)));
  }

  /** The replicas that our own actions take away now; to be kept before they begin. */
  keepOwn(own: ReadonlySet<ReplicaId>): void {
    for (const replica of own) {
      if (this.#own.has(replica)) continue;
      this.#store.run("INSERT OR IGNORE INTO own_work (replica) VALUES (?)", replica);
      this.#own.add(replica);
    }
    for (const replica of this.#own) {
      if (own.has(replica)) continue;
      this.#store.run("DELETE FROM own_work WHERE replica = ?", replica);
      this.#own.delete(replica);
    }
  }

  #drop(service: ServiceId): void {
    this.#store.run("DELETE FROM seen_services WHERE service = ?", service);
  }
}
