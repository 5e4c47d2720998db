import { setTimeout as sleep } from "node:timers/promises";
import type { FlyballAgent } from "../lab/agent.ts";
import type { ContainerCrowd } from "./container-crowd.ts";

const POLL_MS = 1_000;
/** How long after its end a container may still be on the page, and after its start not yet. */
const GRACE_MS = 5_000;

/** How the page stood to the crowd, over all looks at it. */
export interface PageWatched {
  readonly looks: number;
  /** Looks at containers that had ended, and had begun, longer than the grace ago; and those that found them wrong. */
  readonly endedLooks: number;
  readonly endedShown: number;
  readonly begunLooks: number;
  readonly begunMissing: number;
  /** Of each look: containers on the page, and those that the engine listed as running. */
  readonly counts: readonly { readonly shown: number; readonly listed: number }[];
  /** Series that were there twice on one page. */
  readonly duplicates: readonly string[];
  readonly lastPage: string;
}

/** Looks at the agent's page once a second until it is told to stop. */
export async function watchPage(
  agent: FlyballAgent,
  crowd: ContainerCrowd,
  signal: AbortSignal,
): Promise<PageWatched> {
  const seen = { looks: 0, endedLooks: 0, endedShown: 0, begunLooks: 0, begunMissing: 0, lastPage: "" };
  const counts: { shown: number; listed: number }[] = [];
  const duplicates: string[] = [];
  while (!signal.aborted) {
    const nextMs = performance.now() + POLL_MS;
    const listed = (await crowd.running()).length;
    const graceBeganMs = performance.now() - GRACE_MS;
    const ended = [...crowd.endedAtMs].filter(([, atMs]) => atMs < graceBeganMs);
    const begun = [...crowd.runningSinceMs].filter(([, atMs]) => atMs < graceBeganMs);
    const page = await agent.page();
    const shown = idsOnPage(page, crowd.project);
    seen.looks += 1;
    seen.lastPage = page;
    counts.push({ shown: shown.size, listed });
    duplicates.push(...duplicateSeries(page));
    // What changed while the page was on its way is no fault of it.
    for (const [id, atMs] of ended) {
      if (crowd.endedAtMs.get(id) !== atMs) continue;
      seen.endedLooks += 1;
      if (shown.has(id)) seen.endedShown += 1;
    }
    for (const [id, atMs] of begun) {
      if (crowd.runningSinceMs.get(id) !== atMs) continue;
      seen.begunLooks += 1;
      if (!shown.has(id)) seen.begunMissing += 1;
    }
    await sleep(Math.max(0, nextMs - performance.now()));
  }
  return { ...seen, counts, duplicates };
}

/** The counter families whose names begin so. */
export function counterFamilies(page: string, prefix: string): string[] {
  return page
    .split("\n")
    .flatMap((line) => /^# TYPE (\S+) counter$/u.exec(line)?.[1] ?? [])
    .filter((name) => name.startsWith(prefix));
}

function idsOnPage(page: string, project: string): Set<string> {
  const ours = `container_label_com_docker_compose_project="${project}"`;
  return new Set(
    page
      .split("\n")
      .filter((line) => line.startsWith("container_last_seen{") && line.includes(ours))
      .flatMap((line) => /id="\/docker\/([0-9a-f]{64})"/u.exec(line)?.[1] ?? []),
  );
}

function duplicateSeries(page: string): string[] {
  const series = page
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")));
  const once = new Set<string>();
  return series.filter((text) => once.size === once.add(text).size);
}
