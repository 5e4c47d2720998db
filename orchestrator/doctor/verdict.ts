import type { EngineKind, ServiceId } from "../../core/types.ts";
import type { ScalingFacts } from "./facts.ts";
import { CONTAINER_RULES, type Finding, PROCESS_RULES } from "./rules.ts";

/** Whether a service can have more than one replica, and what stands in the way. */
export interface Verdict {
  readonly service: ServiceId;
  readonly verdict: "can" | "can-after" | "cannot";
  /** `can scale`, `can scale after …`, `cannot scale because …`. */
  readonly sentence: string;
  readonly findings: readonly Finding[];
}

/** The verdict on one service. Never throws, and looks at nothing but the facts. */
export function verdictOn(facts: ScalingFacts, engine: EngineKind): Verdict {
  const rules = engine === "docker" ? CONTAINER_RULES : PROCESS_RULES;
  const found = rules.flatMap((rule) => rule(facts));
  const unnamed = engine === "docker" ? whatTheFileFound(facts, found) : [];
  const findings = [...found, ...unnamed].toSorted((a, b) => ORDER[a.effect] - ORDER[b.effect]);
  const cannot = findings.filter(({ effect }) => effect === "cannot");
  const after = findings.filter(({ effect }) => effect === "after");
  const { service } = facts;
  if (cannot.length > 0) {
    const reasons = cannot.map(({ because }) => because).join(", and because ");
    return { service, verdict: "cannot", sentence: `cannot scale because ${reasons}`, findings };
  }
  if (after.length > 0) {
    const changes = after.map(({ change }) => change).join("; and then: ");
    return { service, verdict: "can-after", sentence: `can scale after this: ${changes}`, findings };
  }
  return { service, verdict: "can", sentence: "can scale", findings };
}

const ORDER = { cannot: 0, after: 1, note: 2 } as const satisfies Record<Finding["effect"], number>;

/** A reason that has no rule of its own here must not be lost. */
function whatTheFileFound(facts: ScalingFacts, found: readonly Finding[]): Finding[] {
  const { singleReplicaReason } = facts;
  if (singleReplicaReason === undefined || found.some(({ effect }) => effect !== "note")) return [];
  return [
    {
      rule: "single-replica",
      effect: "after",
      because: singleReplicaReason,
      change: `remove that from the compose file (${singleReplicaReason})`,
    },
  ];
}
