import { DEPLOY_LABELS } from "./deploy-labels.ts";
import { type LabelReader, type LabelSpec, label } from "./label-reader.ts";
import { readCount, readDuration } from "./label-values.ts";
import {
  readCommandProbe,
  readHttpProbe,
  readSeconds,
  readTcpProbe,
  readVendorCommand,
  readVendorUrl,
} from "./probe-values.ts";
import type { Probe } from "./types.ts";
import { HOUR_MS, MINUTE_MS } from "./units.ts";

const LEAST_INTERVAL_MS = 50;

/** How Flyball itself asks replicas whether they are well. */
export const PROBE_LABELS = {
  probeHttp: label("probe.http", readHttpProbe, {
    meaning:
      "a replica is ready when this path answers 2xx or 3xx; `/path`, or `:8080/path` for another than its first port",
    defaultText: "none",
    example: "/healthz",
  }),
  probeTcp: label("probe.tcp", readTcpProbe, {
    meaning: "a replica is ready when this port accepts a connection",
    defaultText: "none",
    example: ":5432",
  }),
  probeCommand: label("probe.cmd", readCommandProbe, {
    meaning: "a replica is ready when this line, run by `/bin/sh` inside it, ends with status 0",
    defaultText: "none",
    example: "pg_isready -q",
  }),
  probeInterval: label("probe.interval", readDuration(LEAST_INTERVAL_MS, HOUR_MS), {
    meaning: "pause between two questions to a replica",
    defaultText: "`2s`; with `probe.cmd` `10s`",
    example: "5s",
  }),
  probeStartInterval: label("probe.start_interval", readDuration(LEAST_INTERVAL_MS, HOUR_MS), {
    meaning: "the same until the replica is ready for the first time",
    defaultText: "`100ms`; with `probe.cmd` `1s`",
    example: "500ms",
  }),
  probeTimeout: label("probe.timeout", readDuration(LEAST_INTERVAL_MS, 10 * MINUTE_MS), {
    meaning: "a question without an answer by then has failed; a command is ended",
    defaultText: "`2s`; with `probe.cmd` `5s`",
    example: "1s",
  }),
  probeStartPeriod: label("probe.start_period", readDuration(0, 24 * HOUR_MS), {
    meaning: "failures this soon after the start do not count, as long as the replica was never ready",
    defaultText: "without an end",
    example: "1m",
  }),
  probeRetries: label("probe.retries", readCount(1), {
    meaning: "failures in a row that make a replica unhealthy",
    defaultText: "3",
    example: "5",
  }),
  probeSuccessThreshold: label("probe.success_threshold", readCount(1), {
    meaning: "successes in a row that make a replica ready",
    defaultText: "1",
    example: "2",
  }),
  vendorUrl: label("aliyun.probe.url", readVendorUrl, {
    meaning:
      "as `probe.http` and `probe.tcp`, every 2 s; the host is the word `container`, the port 80 unless another is named",
    defaultText: "none",
    example: "http://container:8080/healthz",
  }),
  vendorCommand: label("aliyun.probe.cmd", readVendorCommand, {
    meaning: "as `probe.cmd`, every 2 s; the words of a command, not a line for a shell",
    defaultText: "none",
    example: "/check.sh --quick",
  }),
  vendorTimeout: label("aliyun.probe.timeout_seconds", readSeconds(1), {
    meaning: "as `probe.timeout`, in seconds; for `aliyun.probe.url` and `.cmd`",
    defaultText: "as `probe.timeout`",
    example: "3",
  }),
  vendorInitialDelay: label("aliyun.probe.initial_delay_seconds", readSeconds(0), {
    meaning: "seconds from the start of a replica to the first question; for `aliyun.probe.url` and `.cmd`",
    defaultText: "0",
    example: "10",
  }),
} as const;

const OWN_QUESTIONS = [PROBE_LABELS.probeHttp, PROBE_LABELS.probeTcp, PROBE_LABELS.probeCommand] as const;
const VENDOR_QUESTIONS = [PROBE_LABELS.vendorUrl, PROBE_LABELS.vendorCommand] as const;
const OWN_TIMING: readonly LabelSpec<number>[] = [
  PROBE_LABELS.probeInterval,
  PROBE_LABELS.probeStartInterval,
  PROBE_LABELS.probeTimeout,
  PROBE_LABELS.probeStartPeriod,
  PROBE_LABELS.probeRetries,
  PROBE_LABELS.probeSuccessThreshold,
];
const VENDOR_TIMING: readonly LabelSpec<number>[] = [
  PROBE_LABELS.vendorTimeout,
  PROBE_LABELS.vendorInitialDelay,
];

const ANY_PROBE = `${PROBE_LABELS.probeHttp.key}, ${PROBE_LABELS.probeTcp.key} or ${PROBE_LABELS.probeCommand.key}`;

/** The one question that the labels ask; absent: none. */
export function readProbe(reader: LabelReader): Probe | undefined {
  const asked = [...OWN_QUESTIONS, ...VENDOR_QUESTIONS].filter((spec) => reader.says(spec));
  const questions = asked.map((spec) => reader.get(spec));
  const [first, ...others] = asked;
  for (const { key } of others) reader.error(key, `excludes ${first?.key}: keep one`);
  const isVendors = VENDOR_QUESTIONS.some((spec) => spec === first);
  for (const spec of VENDOR_TIMING) {
    if (!reader.says(spec) || isVendors) continue;
    reader.warning(spec.key, `is ignored without ${VENDOR_QUESTIONS.map(({ key }) => key).join(" or ")}`);
  }
  if (first === undefined) {
    for (const spec of [...OWN_TIMING, DEPLOY_LABELS.livenessFailures])
      if (reader.says(spec)) reader.error(spec.key, `needs ${ANY_PROBE} beside it`);
    return undefined;
  }
  const timing = { ...(isVendors ? vendorTiming(reader) : {}), ...ownTiming(reader) };
  const [question] = questions;
  return question === undefined || others.length > 0 ? undefined : { ...question, ...timing };
}

function ownTiming(reader: LabelReader): Partial<Probe> {
  return defined({
    intervalMs: reader.get(PROBE_LABELS.probeInterval),
    startIntervalMs: reader.get(PROBE_LABELS.probeStartInterval),
    timeoutMs: reader.get(PROBE_LABELS.probeTimeout),
    startPeriodMs: reader.get(PROBE_LABELS.probeStartPeriod),
    retries: reader.get(PROBE_LABELS.probeRetries),
    successThreshold: reader.get(PROBE_LABELS.probeSuccessThreshold),
  });
}

function vendorTiming(reader: LabelReader): Partial<Probe> {
  return defined({
    timeoutMs: reader.get(PROBE_LABELS.vendorTimeout),
    initialDelayMs: reader.get(PROBE_LABELS.vendorInitialDelay),
  });
}

function defined(values: Readonly<Record<string, number | undefined>>): Partial<Probe> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
