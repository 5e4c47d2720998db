import type { ObservedReplica } from "../../core/types.ts";
import { formatDuration, MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import type { ServiceFacts } from "../facts.ts";
import type { AlertRule, Finding } from "../rule.ts";
import { counted, listed } from "./sentences.ts";
import { ofServices } from "./subject.ts";

/** Not one replica answers. */
export const SERVICE_DOWN: AlertRule = {
  name: "ServiceDown",
  meaning: "replicas are wanted and not one of them is ready",
  severity: "critical",
  forMs: MINUTE_MS,
  keepFiringForMs: 15 * SECOND_MS,
  noData: "keep",
  look: (facts) =>
    ofServices(facts, "ServiceDown", (service) => {
      const { id } = service;
      const counts = countsOf(service);
      return {
        truth: counts && counts.wanted > 0 && counts.ready === 0,
        summary: `${id} has no ready replica; ${counts?.wanted ?? service.desired} should be`,
        advice: `See why: flyball ps ${id} shows the replicas, flyball ps --failures what the last ones wrote`,
        signal: { metric: "replicas" },
      };
    }),
};

/** Fewer than there should be, for longer than a start takes. */
export const REPLICAS_MISSING: AlertRule = {
  name: "ReplicasMissing",
  meaning: "fewer replicas are ready than are wanted, for longer than a start takes",
  severity: "warning",
  forMs: 5 * MINUTE_MS,
  keepFiringForMs: 30 * SECOND_MS,
  noData: "keep",
  look: (facts) =>
    ofServices(facts, "ReplicasMissing", (service) => {
      const counts = countsOf(service);
      const { id, holds = [] } = service;
      const [why] = holds.map(({ reason }) => reason);
      return {
        truth: counts && counts.ready < counts.wanted,
        summary: `${id} has ${counts?.ready ?? 0} of ${counts?.wanted ?? service.desired} replicas ready${why === undefined ? "" : `: ${why}`}`,
        advice: `See what holds the others up: flyball ps ${id} and flyball explain ${id}`,
        signal: { metric: "replicas" },
      };
    }),
};

/** A replica ends again and again. */
export const CRASH_LOOPING: AlertRule = {
  name: "CrashLooping",
  meaning: "a replica ends again and again, however often it is started",
  severity: "critical",
  forMs: 0,
  keepFiringForMs: 2 * MINUTE_MS,
  noData: "keep",
  look: (facts) =>
    ofServices(facts, "CrashLooping", ({ id, holds, failures }) => {
      const looping = holds?.filter(({ kind }) => kind === "crash-loop");
      const last = failures.toSorted((a, b) => b.takenAtMs - a.takenAtMs)[0];
      return {
        truth: looping && looping.length > 0,
        summary: `${id} ends again and again: ${looping?.[0]?.reason ?? ""}${last === undefined ? "" : `; the last one ${last.reason}`}`,
        advice: `Read what it wrote last, with flyball ps --failures; after a bad release, flyball rollback ${id}`,
        signal: { metric: "replicas" },
      };
    }),
};

const REMEMBERED_MS = 10 * MINUTE_MS;

/** The kernel killed a replica that took more memory than it may. */
export const OUT_OF_MEMORY: AlertRule = {
  name: "OutOfMemory",
  meaning: `the kernel has killed a replica for its memory within the last ${formatDuration(REMEMBERED_MS)}`,
  severity: "warning",
  forMs: 0,
  keepFiringForMs: 0,
  noData: "keep",
  look: (facts, nowMs) =>
    ofServices(facts, "OutOfMemory", ({ id, failures }) => {
      const killed = failures.filter(
        ({ failure, takenAtMs }) => failure === "oom" && nowMs - takenAtMs < REMEMBERED_MS,
      );
      return {
        truth: killed.length > 0,
        summary: `${id} was killed for its memory, ${counted(killed.length, "time")} within ${formatDuration(REMEMBERED_MS)}`,
        advice:
          "Give each replica more memory, look for a leak, or scale on memory earlier: autoscale.max_memory",
        signal: { metric: "memory" },
      };
    }),
};

/** Running, and its check says no. */
export const SERVICE_UNHEALTHY: AlertRule = {
  name: "ServiceUnhealthy",
  meaning: "a replica runs and its healthcheck or probe says no",
  severity: "warning",
  forMs: MINUTE_MS,
  keepFiringForMs: MINUTE_MS,
  noData: "keep",
  look: (facts) => ofServices(facts, "ServiceUnhealthy", unhealthy),
};

function unhealthy({ id, replicas }: ServiceFacts): Omit<Finding, "subject"> {
  const sick = replicas?.filter(({ state }) => state === "unhealthy");
  const because = sick?.find(({ notReadyBecause }) => notReadyBecause !== undefined)?.notReadyBecause;
  const slots = listed((sick ?? []).slice(0, 5).map(({ slot }) => String(slot)));
  return {
    truth: sick && sick.length > 0,
    summary: `${counted(sick?.length ?? 0, "replica")} of ${id} ${sick?.length === 1 ? "is" : "are"} unhealthy (slot ${slots})${because === undefined ? "" : `: ${because}`}`,
    advice: `See what its check says: flyball ps ${id}; probe.liveness has replicas replaced that stay unhealthy`,
    signal: { metric: "replicas" },
  };
}

/** Those that somebody has paused, taken away for good, and those that have done their work, are not missing. */
function countsOf({ desired, replicas, holds }: ServiceFacts): { wanted: number; ready: number } | undefined {
  if (replicas === undefined || holds === undefined) return undefined;
  const excused = new Set(
    holds.flatMap(({ kind, slot }) =>
      (kind === "ended" || kind === "paused") && slot !== undefined ? [slot] : [],
    ),
  );
  const isLeft = holds.some(({ kind }) => kind === "external");
  const isReady = ({ state, slot }: ObservedReplica) => state === "running" && !excused.has(slot);
  const ready = replicas.filter(isReady).length;
  return { wanted: isLeft ? ready : Math.max(0, desired - excused.size), ready };
}
