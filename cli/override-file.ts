import { stringify } from "yaml";
import { z } from "zod";
import type { ServiceView } from "../core/wire.ts";

/** The first line of every file that this command writes, by which it knows its own. */
const OWN_MARK = "# Written by flyball override:";

const deployedSchema = z.object({ deploy: z.object({ replicas: z.number() }) });

export function isOwnOverride(text: string): boolean {
  return text.startsWith(OWN_MARK);
}

/**
 * A compose override that gives each service that scales its count of now. `scale:` is no part of what compose tells
 * one definition from another by, so nothing is recreated for it. Where the files say `deploy.replicas`, compose takes
 * no other number under `scale:`, and does not tell by that one either.
 *
 * @param definitions services of the compose files by name, as far as they are known
 */
export function overrideText(
  project: string,
  services: readonly ServiceView[],
  definitions: Readonly<Record<string, unknown>>,
): string {
  const counts = services
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, replicas: { desired } }) => [name, countOf(definitions[name], desired)] as const);
  const head = [
    `${OWN_MARK} the counts of project ${project}, so that docker compose keeps them.`,
    "# Give it last: docker compose -f compose.yaml -f compose.flyball.yaml up -d",
  ];
  return `${head.join("\n")}\n${stringify({ services: Object.fromEntries(counts) })}`;
}

function countOf(definition: unknown, count: number) {
  const isDeployed = deployedSchema.safeParse(definition).success;
  return isDeployed ? { deploy: { replicas: count } } : { scale: count };
}
