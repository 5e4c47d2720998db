import type { Migrations } from "../core/store.ts";

export const TABLES: Migrations = {
  room: "alerts",
  steps: [
    // What is pending and fires; and what is over (is_over) while some channel has not been told so.
    `CREATE TABLE alerts (
       key TEXT NOT NULL,
       is_over INTEGER NOT NULL,
       body TEXT NOT NULL,
       PRIMARY KEY (key, is_over)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE alert_groups (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE alert_history (
       id INTEGER PRIMARY KEY,
       resolved_at_ms INTEGER NOT NULL,
       body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX alert_history_by_end ON alert_history (resolved_at_ms);
     CREATE TABLE alert_silences (
       id TEXT PRIMARY KEY,
       ends_at_ms INTEGER NOT NULL,
       body TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE alert_deliveries (
       id INTEGER PRIMARY KEY,
       channel TEXT NOT NULL,
       notification TEXT NOT NULL,
       state TEXT NOT NULL,
       created_at_ms INTEGER NOT NULL,
       ended_at_ms INTEGER,
       attempts INTEGER NOT NULL,
       error TEXT,
       body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX alert_deliveries_by_state ON alert_deliveries (state, ended_at_ms);
     CREATE TABLE alert_channels (channel TEXT PRIMARY KEY, lost INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  ],
};
