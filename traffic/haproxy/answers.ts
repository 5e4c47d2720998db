import type { RunningServer } from "../changes.ts";
import type { Histogram } from "../latency.ts";
import type { Counted } from "../readings.ts";
import { ASLEEP } from "./config-text.ts";

/** What `show proc` of the master says. */
export interface Processes {
  readonly masterPid: number;
  /** Those that take new connections: one. */
  readonly workers: readonly number[];
  /** Those that a reload has replaced, and that have connections left. */
  readonly oldWorkers: readonly number[];
  readonly failedReloads: number;
}

export function parseProcesses(text: string): Processes | undefined {
  let section = "";
  let masterPid: number | undefined;
  let failedReloads = 0;
  const [workers, oldWorkers]: [number[], number[]] = [[], []];
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) section = line.slice(1).trim();
    const match = /^(\d+)\s+(master|worker)\b.*$/.exec(line);
    if (match === null) continue;
    if (match[2] === "master") {
      masterPid = Number(match[1]);
      failedReloads = Number(/\[failed: (\d+)\]/.exec(line)?.[1] ?? 0);
    } else if (section === "old workers") oldWorkers.push(Number(match[1]));
    else workers.push(Number(match[1]));
  }
  return masterPid === undefined ? undefined : { masterPid, workers, oldWorkers, failedReloads };
}

/** The structure that the worker was started with, by its description, and its number. */
export function parseInfo(text: string): { structure: string; pid: number } | undefined {
  const structure = /^description: flyball (\w+)$/m.exec(text)?.[1];
  const pid = Number(/^Pid: (\d+)$/m.exec(text)?.[1]);
  return structure === undefined || !(pid > 0) ? undefined : { structure, pid };
}

const FORCED_MAINTENANCE = 0x01;

/** `show servers state`. */
export function parseServers(text: string): RunningServer[] {
  const lines = text.split("\n");
  const head = lines.find((line) => line.startsWith("# be_id "));
  const columns = new Map(
    (head ?? "")
      .slice(2)
      .split(" ")
      .map((name, index) => [name, index]),
  );
  return lines.flatMap((line) => {
    const fields = line.split(" ");
    if (!/^\d+$/.test(fields[0] ?? "") || fields.length < columns.size - 1) return [];
    const field = (name: string) => fields[columns.get(name) ?? -1] ?? "";
    if (field("be_name").startsWith(ASLEEP)) return [];
    return [
      {
        backend: field("be_name"),
        name: field("srv_name"),
        host: field("srv_addr"),
        port: Number(field("srv_port")),
        weight: Number(field("srv_uweight")),
        open: (Number(field("srv_admin_state")) & FORCED_MAINTENANCE) === 0,
      },
    ];
  });
}

/** `show stat` of back-ends and servers. */
export function parseStats(text: string): Counted[] {
  const lines = text.split("\n");
  const head = lines.find((line) => line.startsWith("# pxname"));
  if (head === undefined) return [];
  const columns = new Map(
    head
      .slice(2)
      .split(",")
      .map((name, index) => [name, index]),
  );
  return lines.flatMap((line) => {
    const fields = line.split(",");
    if (line.startsWith("#") || fields.length < columns.size - 1) return [];
    const field = (name: string) => fields[columns.get(name) ?? -1] ?? "";
    const number = (name: string) => Number(field(name) || 0);
    const isHttp = field("mode") === "http";
    const isBackend = field("svname") === "BACKEND";
    // What a replica answered 5xx, or gave up; of the whole service also what no replica could take.
    const errors = isHttp
      ? number("hrsp_5xx") + (isBackend ? 0 : number("eresp"))
      : number("econ") + number("eresp");
    return [
      {
        backend: field("pxname"),
        ...(isBackend ? {} : { server: field("svname") }),
        requests: isBackend && isHttp ? number("req_tot") : number("stot"),
        errors,
        open: number("scur"),
        queued: number("qcur"),
      },
    ];
  });
}

/** `show table` of the latencies, by server. */
export function parseLatencies(text: string): Map<string, Histogram> {
  const latencies = new Map<string, Histogram>();
  for (const line of text.split("\n")) {
    const server = /\bkey=(\S+)/.exec(line)?.[1];
    if (server === undefined) continue;
    latencies.set(
      server,
      [...line.matchAll(/\bgpc\d+=(\d+)/g)].map(([, count]) => Number(count)),
    );
  }
  return latencies;
}
