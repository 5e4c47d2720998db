import type { Migrations } from "../../core/store.ts";

export const ACCESS_TABLES: Migrations = {
  room: "access",
  steps: [
    `CREATE TABLE tokens (
       name TEXT PRIMARY KEY,
       scope TEXT NOT NULL,
       digest TEXT NOT NULL UNIQUE,
       created_at_ms INTEGER NOT NULL,
       expires_at_ms INTEGER,
       last_used_at_ms INTEGER
     ) STRICT;
     CREATE TABLE writes (
       id INTEGER PRIMARY KEY,
       at_ms INTEGER NOT NULL,
       by TEXT NOT NULL,
       method TEXT NOT NULL,
       path TEXT NOT NULL,
       status INTEGER NOT NULL
     ) STRICT`,
  ],
};
