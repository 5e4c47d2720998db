import { randomUUID } from "node:crypto";
import { FlyballError } from "../core/errors.ts";
import type { Migrations, Store } from "../core/store.ts";
import type { EngineKind } from "../core/types.ts";

const MIGRATIONS: Migrations = {
  room: "instance",
  steps: ["CREATE TABLE instance (id TEXT NOT NULL, engine TEXT NOT NULL) STRICT"],
};

/** Who this daemon is to its replicas, and the engine they are on. Both belong to the data directory. */
export interface Instance {
  readonly id: string;
  readonly engine: EngineKind;
}

/** The instance of this data directory; absent before the first start. */
export function readInstance(store: Store): Instance | undefined {
  store.migrate(MIGRATIONS);
  const row = store.get("SELECT id, engine FROM instance");
  if (row === undefined) return undefined;
  return { id: String(row["id"]), engine: row["engine"] === "docker" ? "docker" : "process" };
}

/**
 * The instance, made on the first start. Replicas cannot move between engines, so a data directory stays with the
 * one it began with for as long as it has projects. @throws FlyballError CONFIG_INVALID
 */
export function openInstance(store: Store, engine: EngineKind, hasProjects: boolean): Instance {
  const known = readInstance(store);
  if (known === undefined) {
    const instance = { id: randomUUID(), engine };
    store.run("INSERT INTO instance (id, engine) VALUES (?, ?)", instance.id, engine);
    return instance;
  }
  if (known.engine === engine) return known;
  if (hasProjects) {
    throw new FlyballError(
      "CONFIG_INVALID",
      `expected the ${known.engine} engine, which the data directory's projects run on, got ${engine}: remove them first, or take another data directory`,
    );
  }
  store.run("UPDATE instance SET engine = ?", engine);
  return { ...known, engine };
}
