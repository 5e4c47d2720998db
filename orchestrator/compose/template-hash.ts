import { createHash } from "node:crypto";
import type { ReplicaTemplate } from "../../core/types.ts";

/** Labels that steer Flyball and change nothing about a replica. */
const POLICY_LABEL = /^(?:autoscale|business|probe|alert|aliyun|job)\./;

/**
 * Names a template by its content. Two templates have one hash when they make the same replica: the order of keys,
 * and what only steers Flyball (its labels, when it restarts a replica), do not matter, so that another threshold, or
 * one that cannot be read, replaces nothing.
 */
export function templateHash(template: ReplicaTemplate): string {
  const { probe: _probe, restart, labels, ...rest } = template;
  const kept = Object.fromEntries(Object.entries(labels).filter(([key]) => !POLICY_LABEL.test(key)));
  return createHash("sha256")
    .update(canonicalJson({ ...rest, labels: kept, restart: restart.compose }))
    .digest("hex")
    .slice(0, 32);
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(",")}}`;
}
