import type { ObservedReplica, Project, Service } from "../../core/types.ts";
import type { Seen } from "./seen.ts";

/** Why no replica of the service may be made now; absent: it may. What runs is not touched by it. */
export function dependencyNotMet(project: Project, service: Service, seen: Seen): string | undefined {
  for (const { service: other, condition, required } of service.dependsOn) {
    const known = project.services.find(({ id }) => id === other);
    if (known === undefined) {
      if (required) return `waits for ${other}, which the project does not have`;
      continue;
    }
    if (known.job !== undefined) {
      if (!seen.hasSucceeded(other)) return `waits for ${known.name} to succeed`;
    } else if (!isMet(condition, seen.of(known))) return `waits for ${known.name} to be ${condition}`;
  }
  return undefined;
}

function isMet(
  condition: Service["dependsOn"][number]["condition"],
  replicas: readonly ObservedReplica[],
): boolean {
  const completed = replicas.some(({ state, exitCode }) => state === "exited" && exitCode === 0);
  switch (condition) {
    case "healthy":
      return replicas.some(({ state }) => state === "running");
    case "completed":
      return completed;
    case "started":
      // A short-lived service that has come and gone was started all the same.
      return completed || replicas.some(({ state }) => ["starting", "running", "unhealthy"].includes(state));
  }
}
