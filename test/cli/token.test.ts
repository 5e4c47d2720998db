import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Tokens } from "../../api/access/tokens.ts";
import { Writes } from "../../api/access/writes.ts";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { startTestApi } from "../api/harness.ts";
import { flyball } from "./flyball.ts";

test("tokens are made, listed and revoked from the command line, and are good for what was asked", async () => {
  const directory = mkdtempSync(join(tmpdir(), "flyball-token-"));
  using store = new Store(directory);
  const access = {
    tokens: new Tokens(store, systemClock),
    writes: new Writes(store, systemClock, createLog("silent")),
  };
  await using api = await startTestApi({ access });
  const environment = { FLYBALL_ADDRESS: api.url };
  const run = (...words: string[]) => flyball(["token", ...words], { environment });

  assert.match((await run("ls")).printed, /^no tokens/);
  const { printed: token } = await run("create", "grafana", "--expires", "90d");
  assert.match(token, /^flyball_\S+$/);
  const asked = await api.fetch("/v1/services", { headers: { authorization: `Bearer ${token}` } });
  assert.equal(asked.status, 200);
  assert.match((await run("ls")).printed, /grafana +read +\S+ +\S+ +\S+Z/);
  assert.equal((await run("create", "grafana")).status, 2);
  assert.equal((await run("create", "other", "--scope", "all")).status, 2);
  assert.equal((await run("revoke", "grafana")).printed, "grafana is revoked");
  assert.equal((await run("revoke", "grafana")).status, 3);
  rmSync(directory, { recursive: true });
});
