import type { Migrations, Store } from "../core/store.ts";

/** What the scaler keeps in the store. */
export const TABLES: Migrations = {
  room: "scaler",
  steps: [
    `CREATE TABLE decisions (
       id INTEGER PRIMARY KEY,
       service TEXT NOT NULL,
       first_at_ms INTEGER NOT NULL,
       last_at_ms INTEGER NOT NULL,
       evaluations INTEGER NOT NULL,
       changed INTEGER NOT NULL,
       body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX decisions_of_service ON decisions (service, first_at_ms);
     CREATE INDEX decisions_by_age ON decisions (last_at_ms)`,
    // What was kept before had no input, and cannot be decided again. Names and policies are written once each.
    `DROP TABLE decisions;
     CREATE TABLE decided_services (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
     CREATE TABLE decided_policies (
       id INTEGER PRIMARY KEY,
       hash TEXT NOT NULL UNIQUE,
       body TEXT NOT NULL
     ) STRICT;
     CREATE TABLE decisions (
       id INTEGER PRIMARY KEY,
       service INTEGER NOT NULL,
       policy INTEGER NOT NULL,
       first_at_ms INTEGER NOT NULL,
       last_at_ms INTEGER NOT NULL,
       evaluations INTEGER NOT NULL,
       changed INTEGER NOT NULL,
       mode TEXT,
       startup_ms INTEGER NOT NULL,
       input TEXT NOT NULL,
       evaluation TEXT NOT NULL
     ) STRICT;
     CREATE INDEX decisions_of_service ON decisions (service, first_at_ms);
     CREATE INDEX decisions_that_changed ON decisions (service, first_at_ms) WHERE changed = 1;
     CREATE TABLE autoscale_modes (
       service TEXT PRIMARY KEY,
       approved INTEGER NOT NULL,
       paused INTEGER NOT NULL,
       rules TEXT NOT NULL
     ) STRICT`,
    "ALTER TABLE autoscale_modes ADD COLUMN paused_until_ms INTEGER",
  ],
};

/** The store still has decisions without their inputs, which bringing the tables up to date will drop. */
export function dropsDecisions(store: Store): boolean {
  return store.get("SELECT 1 FROM pragma_table_info('decisions') WHERE name = 'body'") !== undefined;
}
