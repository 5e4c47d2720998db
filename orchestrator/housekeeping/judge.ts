import type { ServiceId } from "../../core/types.ts";
import { formatDuration, MINUTE_MS } from "../../core/units.ts";
import { type Found, type FoundKind, keyOf } from "./found.ts";

/** What is younger may belong to something that is going on. */
export const YOUNGEST_MS = 10 * MINUTE_MS;

/** What is known beside what was found. */
export interface Known {
  readonly nowMs: number;
  /** Who we are to our replicas. */
  readonly instanceId: string;
  /** Those that are managed, also those that are being removed. */
  readonly projects: ReadonlySet<string>;
  /** Image references of the services. */
  readonly references: readonly string[];
  /** Which service was last seen to have a volume or an image, and when; by `keyOf`. */
  readonly uses: ReadonlyMap<string, { readonly service: ServiceId; readonly seenAtMs: number }>;
}

/** One thing to be removed. */
export interface SweepItem {
  /** `volume 3f0c…`: names it in a request. */
  readonly key: string;
  readonly kind: FoundKind;
  readonly name: string;
  readonly service?: ServiceId;
  readonly bytes?: number;
  /** A clause for a person. */
  readonly why: string;
}

export interface Sweep {
  readonly items: readonly SweepItem[];
  /** What looks like it could go, and stays; one sentence each. */
  readonly kept: readonly string[];
}

type Judgement =
  | { readonly remove: string; readonly service?: ServiceId }
  | { readonly keep: string }
  | undefined;

/** What may be removed, and why; nothing that is not known to be ours is. */
export function judge(found: readonly Found[], known: Known): Sweep {
  const items: SweepItem[] = [];
  const kept = new Map<string, number>();
  for (const one of found.toSorted((a, b) => compare(a, b))) {
    const judgement = JUDGES[one.kind](one, known);
    if (judgement === undefined) continue;
    if ("keep" in judgement) {
      kept.set(judgement.keep, (kept.get(judgement.keep) ?? 0) + 1);
      continue;
    }
    const service = judgement.service ?? one.service;
    items.push({
      key: keyOf(one),
      kind: one.kind,
      name: one.name,
      ...(service === undefined ? {} : { service }),
      ...(one.bytes === undefined ? {} : { bytes: one.bytes }),
      why: judgement.remove,
    });
  }
  return { items, kept: Array.from(kept, ([reason, count]) => `${count} ${reason}`) };
}

const JUDGES: { readonly [K in FoundKind]: (one: Found, known: Known) => Judgement } = {
  replica: (one, known) => {
    if (one.owner === undefined) return undefined;
    if (one.owner !== known.instanceId) {
      return one.project !== undefined && known.projects.has(one.project)
        ? undefined
        : {
            keep: "replicas made by a Flyball with another data directory: remove them with that one, or by hand",
          };
    }
    const isManaged = one.project !== undefined && known.projects.has(one.project);
    if (isManaged && one.unstarted !== true) return undefined;
    if (isYoung(one.createdAtMs, known.nowMs)) return { keep: young("half-made or orphaned replicas") };
    if (isManaged) return { remove: "it was made and never started" };
    const state = one.inUse ? "it runs, and" : "";
    return { remove: `${state} project ${one.project ?? "(none)"} is not known any more`.trim() };
  },

  volume: (one, known) => {
    if (one.inUse) return undefined;
    const use = known.uses.get(keyOf(one));
    if (use === undefined) {
      return {
        keep: "unused anonymous volumes of nobody that Flyball knows (docker volume ls -f dangling=true)",
      };
    }
    if (one.isNamed) return { keep: "unused volumes that somebody has named or labelled" };
    if (isYoung(newest(one.createdAtMs, use.seenAtMs), known.nowMs)) return { keep: young("unused volumes") };
    return { remove: `an anonymous volume that ${use.service} left behind`, service: use.service };
  },

  image: (one, known) => {
    if (one.inUse) return undefined;
    const use = known.uses.get(keyOf(one));
    if (use === undefined) return undefined;
    if (one.isNamed) return { keep: "unused images that somebody has tagged" };
    if (isPinned(one, known.references))
      return { keep: "unused images of a repository that services name by digest" };
    // Its own time is when it was built, which may be years ago.
    if (isYoung(use.seenAtMs, known.nowMs)) return { keep: young("unused images") };
    return { remove: `its tag has moved on, and ${use.service} uses it no more`, service: use.service };
  },

  log: (one, { nowMs }) =>
    isYoung(one.createdAtMs, nowMs)
      ? { keep: young("logs without a replica") }
      : { remove: "the log of a replica that is no more" },

  record: (one, { nowMs }) =>
    isYoung(one.createdAtMs, nowMs)
      ? { keep: young("unreadable records") }
      : { remove: "a replica's record that could not be understood and was set aside" },
};

function isPinned({ repositories = [] }: Found, references: readonly string[]): boolean {
  return references.some((reference) => {
    const at = reference.indexOf("@");
    const repository = reference.slice(0, at).replace(/:[^/:]*$/u, "");
    return at !== -1 && repositories.includes(repository);
  });
}

/** What has no time is as good as new. */
function isYoung(atMs: number | undefined, nowMs: number): boolean {
  return atMs === undefined || nowMs - atMs < YOUNGEST_MS;
}

function newest(a: number | undefined, b: number): number {
  return a === undefined ? b : Math.max(a, b);
}

function young(what: string): string {
  return `${what} younger than ${formatDuration(YOUNGEST_MS)}`;
}

function compare(a: Found, b: Found): number {
  const [one, other] = [keyOf(a), keyOf(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}
