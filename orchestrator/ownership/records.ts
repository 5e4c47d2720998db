import type { Migrations, Store } from "../../core/store.ts";
import type { ReplicaId, ServiceId } from "../../core/types.ts";

const MIGRATIONS: Migrations = {
  room: "ownership",
  steps: [
    `CREATE TABLE left_services (
       service TEXT PRIMARY KEY,
       replicas INTEGER,
       reason TEXT NOT NULL
     ) STRICT;
     CREATE TABLE parked_replicas (
       replica TEXT PRIMARY KEY,
       service TEXT NOT NULL
     ) STRICT`,
  ],
};

/** A service that is left as somebody has made it. */
export interface Left {
  /** How many it is left at; absent: nothing of it is there, and nothing is done for it. */
  readonly count?: number;
  readonly reason: string;
}

/** What was left as others made it, in the store: a daemon that starts again must not undo it. */
export class Records {
  readonly #store: Store;
  readonly #left = new Map<ServiceId, Left>();
  readonly #parked = new Map<ReplicaId, ServiceId>();

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
    for (const { service, replicas, reason } of store.all("SELECT * FROM left_services")) {
      const left = { reason: String(reason), ...(replicas === null ? {} : { count: Number(replicas) }) };
      this.#left.set(String(service), left);
    }
    for (const { replica, service } of store.all("SELECT * FROM parked_replicas"))
      this.#parked.set(String(replica), String(service));
  }

  get left(): ReadonlyMap<ServiceId, Left> {
    return this.#left;
  }

  get parked(): ReadonlyMap<ReplicaId, ServiceId> {
    return this.#parked;
  }

  leave(service: ServiceId, left: Left): void {
    this.#store.run(
      "INSERT OR REPLACE INTO left_services (service, replicas, reason) VALUES (?, ?, ?)",
      service,
      left.count ?? null,
      left.reason,
    );
    this.#left.set(service, left);
  }

  takeUp(service: ServiceId): void {
    if (!this.#left.has(service)) return;
    this.#store.run("DELETE FROM left_services WHERE service = ?", service);
    this.#left.delete(service);
  }

  park(replica: ReplicaId, service: ServiceId): void {
    this.#store.run(
      "INSERT OR REPLACE INTO parked_replicas (replica, service) VALUES (?, ?)",
      replica,
      service,
    );
    this.#parked.set(replica, service);
  }

  unpark(replica: ReplicaId): void {
    if (!this.#parked.has(replica)) return;
    this.#store.run("DELETE FROM parked_replicas WHERE replica = ?", replica);
    this.#parked.delete(replica);
  }
}
