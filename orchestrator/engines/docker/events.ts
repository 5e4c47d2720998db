import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { EngineSign } from "../../ownership/signs.ts";
import { eventStream } from "./api.ts";
import type { DockerConnection } from "./connect.ts";
import { jsonLines } from "./json-lines.ts";
import { COMPOSE_LABELS } from "./labels.ts";
import type { Memory } from "./memory.ts";
import { signOf } from "./signs.ts";
import type { EngineEvent } from "./wire.ts";

/** What one `docker compose up` does arrives as a burst; one look at the whole answers all of it. */
const DEBOUNCE_MS = 20;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/** The names that the last observation was about. */
export interface Watched {
  readonly projects: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
  readonly volumes: ReadonlySet<string>;
}

export interface EventParts {
  readonly connection: DockerConnection;
  readonly memory: Memory;
  readonly log: Log;
  readonly watched: () => Watched;
}

/** Hints until disposed, over any number of broken streams. */
export function watchEvents(
  parts: EventParts,
  onHint: () => void,
  onSign: (sign: EngineSign) => void = () => undefined,
): Disposable {
  const controller = new AbortController();
  const hints = debounced(onHint);
  void follow(parts, { hint: hints.hint, onSign }, controller.signal);
  return {
    [Symbol.dispose]() {
      hints[Symbol.dispose]();
      controller.abort();
    },
  };
}

/** Whether an event may have changed what an observation shows. */
export function concerns({ Type, Action, Actor }: EngineEvent, watched: Watched): boolean {
  const name = Actor?.Attributes?.["name"] ?? "";
  switch (Type) {
    case "container":
      return (
        !isNoise(Action ?? "") && watched.projects.has(Actor?.Attributes?.[COMPOSE_LABELS.project] ?? "")
      );
    case "network":
      return watched.networks.has(name);
    case "volume":
      return (Action === "create" || Action === "destroy") && watched.volumes.has(Actor?.ID ?? "");
    case "image":
      return Action !== "push" && Action !== "save";
    default:
      return false;
  }
}

/** A healthcheck alone makes three of these each time it runs. */
function isNoise(action: string): boolean {
  return /^(?:exec_|top|attach|detach|resize|copy|archive-path|extract-to-dir|export|commit)/u.test(action);
}

async function follow(
  { connection, memory, log, watched }: EventParts,
  { hint, onSign }: { readonly hint: () => void; readonly onSign: (sign: EngineSign) => void },
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    // Of each attempt its own: one that the engine did not answer must not go on beside the next.
    const attempt = new AbortController();
    const end = (): void => attempt.abort();
    signal.addEventListener("abort", end, { once: true });
    try {
      const stream = await eventStream(connection, attempt.signal);
      memory.hearsEvents = true;
      onSign({ kind: "listening" });
      retryMs = FIRST_RETRY_MS;
      // What happened while nobody listened is not told again.
      hint();
      for await (const event of jsonLines<EngineEvent>(stream)) {
        if (event.Type === "container") memory.forgetContainer(event.Actor?.ID ?? "");
        if (event.Type === "image") memory.forgetImages();
        const sign = signOf(event);
        if (sign !== undefined) onSign(sign);
        if (concerns(event, watched())) hint();
      }
    } catch (error) {
      if (!signal.aborted) log.debug({ error: messageOf(error), retryMs }, "the engine's event stream broke");
    } finally {
      memory.hearsEvents = false;
      onSign({ kind: "deaf" });
      signal.removeEventListener("abort", end);
      attempt.abort();
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {});
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }
}

/** The first hint waits a moment for those that come with it. */
function debounced(onHint: () => void): Disposable & { hint(): void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    hint() {
      timer ??= setTimeout(() => {
        timer = undefined;
        onHint();
      }, DEBOUNCE_MS);
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}
