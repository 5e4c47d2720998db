import { createHash } from "node:crypto";
import { HOUR_MS, MINUTE_MS } from "../../core/units.ts";
import { cookieName, STICKS_HOURS, STICKS_IDLE_MINUTES } from "../stickiness.ts";

/** Younger than this, a cookie is not sent anew only to say that it was used. */
const FRESH_MS = MINUTE_MS;

/** What a client's cookie says. */
export interface Sticky {
  /** Of the server; see `serverMark`. */
  readonly mark: string;
  readonly usedAtMs: number;
  readonly sinceMs: number;
}

/** Stands for a server in cookies: the same for as long as its name, and telling nothing of it. */
export function serverMark(backend: string, server: string): string {
  return createHash("sha256").update(`${backend}/${server}`).digest("hex").slice(0, 16);
}

/** The client's cookie for the back-end, unless it is too old; and the header without it, which no replica sees. */
export function takeCookie(
  header: string | undefined,
  backend: string,
  nowMs: number,
): { readonly sticky?: Sticky; readonly rest?: string } {
  if (header === undefined) return {};
  const start = `${cookieName(backend)}=`;
  const all = header.split(";").map((one) => one.trim());
  const rest = all.filter((one) => !one.startsWith(start)).join("; ");
  const sticky = readSticky(all.find((one) => one.startsWith(start))?.slice(start.length) ?? "", nowMs);
  return { ...(sticky === undefined ? {} : { sticky }), ...(rest === "" ? {} : { rest }) };
}

function readSticky(value: string, nowMs: number): Sticky | undefined {
  const match = /^([0-9a-f]{16})\.([0-9a-z]{1,9})\.([0-9a-z]{1,9})$/.exec(value);
  if (match === null) return undefined;
  const [, mark = "", used = "", since = ""] = match;
  const sticky = { mark, usedAtMs: timeOf(used), sinceMs: timeOf(since) };
  const isIdle = nowMs - sticky.usedAtMs > STICKS_IDLE_MINUTES * MINUTE_MS;
  const isOld = nowMs - sticky.sinceMs > STICKS_HOURS * HOUR_MS;
  return isIdle || isOld ? undefined : sticky;
}

/** What the client is to keep, by which it comes back to the server; absent: what it has will do. */
export function cookieFor(
  backend: string,
  mark: string,
  had: Sticky | undefined,
  nowMs: number,
): string | undefined {
  const stays = had?.mark === mark;
  if (stays && nowMs - had.usedAtMs < FRESH_MS) return undefined;
  const since = timeText(stays ? had.sinceMs : nowMs);
  return `${cookieName(backend)}=${mark}.${timeText(nowMs)}.${since}; path=/; HttpOnly`;
}

function timeText(timeMs: number): string {
  return Math.floor(timeMs / 1_000).toString(36);
}

function timeOf(text: string): number {
  return Number.parseInt(text, 36) * 1_000;
}
