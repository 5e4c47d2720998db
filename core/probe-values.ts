import type { Reading } from "./label-values.ts";
import { splitCommand } from "./shell-words.ts";
import type { Probe } from "./types.ts";

const MOST_CHARACTERS_OF_A_COMMAND = 8_000;

/** `/path` or `:port/path`. */
export function readHttpProbe(text: string): Reading<Probe> {
  const match = /^(?::(\d{1,5}))?(\/[^\s#]*)$/.exec(text.trim());
  const port = Number(match?.[1] ?? 1);
  if (match === null || !isPort(port)) {
    return { refusal: 'expected a path, as "/healthz" or ":8080/healthz"' };
  }
  const path = match[2] ?? "/";
  return { value: { kind: "http", path, ...(match[1] === undefined ? {} : { port }) } };
}

/** `:port`. */
export function readTcpProbe(text: string): Reading<Probe> {
  const match = /^:(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[1] ?? 0);
  return isPort(port) ? { value: { kind: "tcp", port } } : { refusal: 'expected a port, as ":5432"' };
}

/** A line for the replica's shell, as a healthcheck's `CMD-SHELL`. */
export function readCommandProbe(text: string): Reading<Probe> {
  const line = text.trim();
  const refusal = refusalOfCommand(line);
  return refusal === undefined
    ? { value: { kind: "cmd", command: ["/bin/sh", "-c", line] } }
    : { refusal: `expected a command, as "pg_isready -q"${refusal}` };
}

/** The vendor looks every two seconds, from the start on. */
const VENDOR_INTERVAL = { intervalMs: 2_000, startIntervalMs: 2_000 };
const URL_FORM = /^(http|tcp):\/\/([^/:\s]*)(?::(\d{1,5}))?(\/[^\s#]*)?$/;
const URL_EXPECTED = 'expected "http://container:8080/path" or "tcp://container:5432"';

/** `http://container[:port]/path` or `tcp://container:port`; the host is that word, and stands for each replica. */
export function readVendorUrl(text: string): Reading<Probe> {
  const [, kind, host, portText, path] = URL_FORM.exec(text.trim()) ?? [];
  if (kind === undefined || (kind === "tcp" && (portText === undefined || path !== undefined))) {
    return { refusal: URL_EXPECTED };
  }
  if (host !== "container") return { refusal: `${URL_EXPECTED}, with the literal host container` };
  const port = Number(portText ?? 80);
  if (!isPort(port)) return { refusal: `${URL_EXPECTED}, with a port from 1 to 65535` };
  if (kind === "tcp") return { value: { kind, port, ...VENDOR_INTERVAL } };
  return { value: { kind: "http", port, path: path ?? "/", ...VENDOR_INTERVAL } };
}

/** The words of one command, without a shell. */
export function readVendorCommand(text: string): Reading<Probe> {
  const split = splitCommand(text);
  const expected = 'expected the words of one command, as "/check.sh --quick"';
  if (split === undefined) return { refusal: `${expected}, with every quote closed` };
  if (split.dropped !== "") return { refusal: `${expected}; what needs a shell is for probe.cmd` };
  const refusal = refusalOfCommand(split.words.join(" "));
  if (refusal !== undefined) return { refusal: `${expected}${refusal}` };
  return { value: { kind: "cmd", command: split.words, ...VENDOR_INTERVAL } };
}

const MOST_SECONDS = 86_400;

/** A whole number of seconds, returned in milliseconds. */
export function readSeconds(least: number): (text: string) => Reading<number> {
  return (text) => {
    const seconds = /^\s*\d{1,6}\s*$/.test(text) ? Number(text) : Number.NaN;
    return seconds >= least && seconds <= MOST_SECONDS
      ? { value: seconds * 1_000 }
      : { refusal: `expected a whole number of seconds from ${least} to ${MOST_SECONDS}` };
  };
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

function refusalOfCommand(line: string): string | undefined {
  if (line === "") return "";
  if (line.includes("\0")) return " without a NUL";
  return line.length > MOST_CHARACTERS_OF_A_COMMAND
    ? ` of at most ${MOST_CHARACTERS_OF_A_COMMAND} characters`
    : undefined;
}
