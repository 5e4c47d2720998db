import { z } from "zod";
import { FlyballError } from "../core/errors.ts";
import { formatDuration, MINUTE_MS, parseDurationMs, SECOND_MS } from "../core/units.ts";
import { endpointDirectorySchema, endpointSetSchema, targetGroupListSchema } from "../core/wire-endpoints.ts";
import { changes, otherThan, type Versioned } from "./discovery/changes.ts";
import type { DiscoveryControl } from "./discovery-control.ts";
import { serviceParams } from "./parameters.ts";
import { type EventsReply, type JsonReply, type Route, route, type Waiting } from "./route.ts";

const DEFAULT_WAIT_MS = 30 * SECOND_MS;
const LONGEST_WAIT_MS = 5 * MINUTE_MS;

const version = z
  .string()
  .regex(/^\d{1,16}$/, "expected the version of an answer")
  .transform(Number)
  .describe("wait until the version is another than this one");

const waitMs = z
  .string()
  .transform((text) => parseDurationMs(text) ?? Number.NaN)
  .pipe(
    z.number({ error: "expected a duration, as 30s" }).max(LONGEST_WAIT_MS, {
      error: `expected at most ${formatDuration(LONGEST_WAIT_MS)}`,
    }),
  )
  .describe("how long to wait for another version, as 30s");

const changeQuery = z
  .object({ after: version.optional(), wait: waitMs.optional() })
  .refine(({ after, wait }) => wait === undefined || after !== undefined, {
    path: ["wait"],
    error: "needs ?after beside it: the version to wait for another of",
  });

export const DISCOVERY_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/endpoints",
    tag: "discovery",
    summary: "where every service answers: the ports of its ready replicas",
    streams: true,
    schemas: { query: changeQuery, answer: endpointDirectorySchema },
    handler: ({ discovery }, { query, waiting }) =>
      answerChanges(discovery, () => discovery.directory(), query, waiting),
  }),
  route({
    method: "GET",
    path: "/v1/services/:id/endpoints",
    tag: "discovery",
    summary: "where one service answers; waits for a change, or streams them",
    streams: true,
    schemas: { params: serviceParams, query: changeQuery, answer: endpointSetSchema },
    handler: ({ discovery }, { params: { id }, query, waiting }) =>
      answerChanges(discovery, () => discovery.endpoints(id), query, waiting),
  }),
  route({
    method: "GET",
    path: "/v1/sd/prometheus",
    tag: "discovery",
    summary: "what Prometheus should scrape, as its HTTP service discovery reads it",
    schemas: {
      query: z.object({
        port: z.enum(["metrics", "all"]).default("metrics").describe("which ports of a replica"),
      }),
      answer: targetGroupListSchema,
    },
    handler: ({ discovery }, { query: { port } }) => ({ json: [...discovery.targetGroups(port)] }),
  }),
];

async function answerChanges<T extends { readonly version: number }>(
  discovery: DiscoveryControl,
  read: () => T,
  { after, wait = DEFAULT_WAIT_MS }: z.infer<typeof changeQuery>,
  { signal, events }: Waiting,
): Promise<JsonReply<T> | EventsReply> {
  const source: Versioned<T> = { read, onChange: (listener) => discovery.onChange(listener) };
  // What cannot be answered is refused before a stream begins.
  const now = read();
  if (events === undefined && after !== now.version) return { json: now };
  const seat = discovery.seat();
  if (events === undefined) {
    using _seat = seat;
    return { json: await otherThan(source, after, wait, signal) };
  }
  const leave = () => seat[Symbol.dispose]();
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  return { events: changes(source, lastSeen(events.lastEventId) ?? after, signal) };
}

/** @throws FlyballError REQUEST_INVALID */
function lastSeen(lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === "") return undefined;
  const seen = version.safeParse(lastEventId);
  if (seen.success) return seen.data;
  throw new FlyballError(
    "REQUEST_INVALID",
    `expected the id of an event in Last-Event-ID, got ${lastEventId}`,
  );
}
