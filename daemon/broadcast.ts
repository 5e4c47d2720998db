import { randomUUID } from "node:crypto";
import { StreamHub } from "../api/stream/hub.ts";
import { samplesOf } from "../api/stream/samples.ts";
import type { ServiceFacts } from "../api/views.ts";
import { systemClock } from "../core/clock.ts";
import type { Decision, ServiceId } from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";
import type { ActionEvent } from "../core/wire-stream.ts";
import { describeAction } from "../orchestrator/describe.ts";
import type { ActionResult } from "../orchestrator/executor.ts";

const HEARTBEAT_MS = 15 * SECOND_MS;

/** Tells those who listen at the stream what the rooms do. */
export class Broadcast {
  readonly hub = new StreamHub({ clock: systemClock, epoch: randomUUID(), heartbeatMs: HEARTBEAT_MS });
  readonly #lastDecided = new Map<ServiceId, string>();

  /** Every service is decided upon each second: told is what is decided otherwise than before. */
  decided(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      const made = outcomeOf(decision);
      if (this.#lastDecided.get(decision.service) === made) continue;
      this.#lastDecided.set(decision.service, made);
      this.hub.publish("decisions", decision);
    }
  }

  acted({ action, outcome, error, tookMs }: ActionResult): void {
    const event: ActionEvent = {
      ...("service" in action ? { service: action.service } : {}),
      action: describeAction(action),
      cause: action.cause,
      outcome,
      ...(error === undefined ? {} : { error: error.message }),
      tookMs,
    };
    this.hub.publish("actions", event);
  }

  measured(services: () => readonly ServiceFacts[]): void {
    this.hub.publishSamples(() => samplesOf(services()));
  }
}

/** Without what changes each second and leads to nothing: levels, times that remain, what the rules want and do not get. */
function outcomeOf({ from, to, verdicts, limits }: Decision): string {
  const rules = verdicts.map(({ metric, wants }) => `${metric} ${wants}`);
  return JSON.stringify([from, to, rules, limits.map(({ limit }) => limit)]);
}
