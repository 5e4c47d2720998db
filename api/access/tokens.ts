import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { FlyballError, isFlyballError } from "../../core/errors.ts";
import type { Row, Store } from "../../core/store.ts";
import { MINUTE_MS, parseDurationMs } from "../../core/units.ts";
import { type CreatedToken, scopeSchema, type TokenRequest, type TokenView } from "../../core/wire-access.ts";
import { ACCESS_TABLES } from "./tables.ts";

/** So that scanners for secrets know one when they see it. */
const PREFIX = "flyball_";
const SECRET_BYTES = 32;
const MOST_TOKENS = 1_000;

/**
 * The tokens of the API. Kept is their digest alone: who reads the store has none of them. They are random, so that a
 * plain digest is as good as a slow one.
 */
export class Tokens {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    store.migrate(ACCESS_TABLES);
  }

  /** @throws FlyballError REQUEST_INVALID for a name that is taken */
  create({ name, scope, expires }: TokenRequest): CreatedToken {
    if (this.#store.get("SELECT 1 FROM tokens WHERE name = ?", name) !== undefined) {
      throw new FlyballError(
        "REQUEST_INVALID",
        `there is a token ${name} already: revoke it, or take another name`,
      );
    }
    if (Number(this.#store.get("SELECT count(*) AS count FROM tokens")?.["count"]) >= MOST_TOKENS) {
      throw new FlyballError(
        "REQUEST_INVALID",
        `there are ${MOST_TOKENS} tokens, the most there can be: revoke some`,
      );
    }
    const token = `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64url")}`;
    const createdAtMs = this.#clock.nowMs();
    const lifeMs = expires === undefined ? undefined : parseDurationMs(expires);
    const expiresAtMs = lifeMs === undefined ? undefined : createdAtMs + lifeMs;
    this.#store.run(
      "INSERT INTO tokens (name, scope, digest, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
      ...[name, scope, digestOf(token), createdAtMs, expiresAtMs ?? null],
    );
    return { name, scope, createdAtMs, ...(expiresAtMs === undefined ? {} : { expiresAtMs }), token };
  }

  list(): readonly TokenView[] {
    return this.#store.all("SELECT * FROM tokens ORDER BY name").map(viewOf);
  }

  get areThere(): boolean {
    return this.#store.get("SELECT 1 FROM tokens LIMIT 1") !== undefined;
  }

  /** @throws FlyballError NOT_FOUND */
  revoke(name: string): void {
    if (this.#store.get("SELECT 1 FROM tokens WHERE name = ?", name) === undefined) {
      throw new FlyballError("NOT_FOUND", `there is no token ${name}`);
    }
    this.#store.run("DELETE FROM tokens WHERE name = ?", name);
  }

  /** Whose token that is; undefined when it is none, or not any more. */
  find(token: string): TokenView | undefined {
    const row = this.#store.get("SELECT * FROM tokens WHERE digest = ?", digestOf(token));
    if (row === undefined) return undefined;
    const view = viewOf(row);
    const nowMs = this.#clock.nowMs();
    if (view.expiresAtMs !== undefined && nowMs >= view.expiresAtMs) return undefined;
    if (nowMs - (view.lastUsedAtMs ?? 0) >= MINUTE_MS) this.#noteUse(view.name, nowMs);
    return view;
  }

  #noteUse(name: string, atMs: number): void {
    try {
      this.#store.run("UPDATE tokens SET last_used_at_ms = ? WHERE name = ?", atMs, name);
    } catch (error) {
      // With a full disk a request is still answered; that the store has trouble is told of by an alert.
      if (!isFlyballError(error)) throw error;
    }
  }
}

function viewOf(row: Row): TokenView {
  const { name, scope, created_at_ms: created, expires_at_ms: expires, last_used_at_ms: used } = row;
  return {
    name: String(name),
    scope: scopeSchema.parse(scope),
    createdAtMs: Number(created),
    ...(expires === null ? {} : { expiresAtMs: Number(expires) }),
    ...(used === null ? {} : { lastUsedAtMs: Number(used) }),
  };
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
