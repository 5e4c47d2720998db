import { type Matcher, matchesAll } from "../core/matcher.ts";
import { type AlertState, isFiring } from "./state.ts";

/** Somebody has asked not to be told, from an instant on, until another. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly createdAtMs: number;
  readonly author: string;
  readonly comment: string;
}

/** While one alert fires, others are not told of: those with equal values of these labels. */
export interface Inhibition {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
}

/** Why nobody is told of an alert. */
export type Suppression =
  | { readonly by: "silence"; readonly id: string }
  | { readonly by: "inhibition"; readonly fingerprint: string }
  | { readonly by: "acknowledgement" };

/** Why nobody is told of an alert now; by the alert's key, of firing alerts only. */
export function suppressions(
  alerts: Iterable<AlertState>,
  {
    silences,
    inhibitions,
    nowMs,
  }: { silences: readonly Silence[]; inhibitions: readonly Inhibition[]; nowMs: number },
): ReadonlyMap<string, Suppression> {
  const firing = Array.from(alerts).filter(isFiring);
  const active = silences.filter(({ startsAtMs, endsAtMs }) => startsAtMs <= nowMs && nowMs < endsAtMs);
  const inhibiting = inhibitions.map((rule) => sourcesOf(rule, firing));
  const suppressed = new Map<string, Suppression>();
  for (const alert of firing) {
    const why = suppressionOf(alert, active, inhibitions, inhibiting);
    if (why !== undefined) suppressed.set(alert.key, why);
  }
  return suppressed;
}

/** The firing sources of a rule, by the values of its equal labels. */
type Sources = ReadonlyMap<string, readonly AlertState[]>;

function sourcesOf({ source, equal }: Inhibition, firing: readonly AlertState[]): Sources {
  const sources = firing.filter(({ labels }) => matchesAll(source, labels));
  return Map.groupBy(sources, (alert) => equalValues(alert, equal));
}

function suppressionOf(
  alert: AlertState,
  silences: readonly Silence[],
  inhibitions: readonly Inhibition[],
  inhibiting: readonly Sources[],
): Suppression | undefined {
  const silence = silences.find(({ matchers }) => matchesAll(matchers, alert.labels));
  if (silence !== undefined) return { by: "silence", id: silence.id };
  if (alert.acknowledged !== undefined) return { by: "acknowledgement" };
  for (const [index, { source, target, equal }] of inhibitions.entries()) {
    const sources = inhibiting[index];
    if (sources === undefined || sources.size === 0 || !matchesAll(target, alert.labels)) continue;
    // What is a cause itself is told of.
    if (matchesAll(source, alert.labels)) continue;
    const cause = sources.get(equalValues(alert, equal))?.[0];
    if (cause !== undefined) return { by: "inhibition", fingerprint: cause.fingerprint };
  }
  return undefined;
}

function equalValues({ labels }: AlertState, equal: readonly string[]): string {
  return JSON.stringify(equal.map((name) => labels[name] ?? ""));
}
