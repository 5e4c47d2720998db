import type { Acknowledgement, Severity } from "../core/alert.ts";
import type { ChartSignal } from "./rule.ts";

/**
 * One alert. `pending`: true, for less long than it must be · `firing`: somebody should know · `resolved`: over.
 * Inactive ones are not kept.
 */
export interface AlertState {
  /** Its rule, severity and subject: what it is found again by. */
  readonly key: string;
  readonly fingerprint: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly labels: Readonly<Record<string, string>>;
  readonly phase: "pending" | "firing" | "resolved";
  readonly pendingAtMs: number;
  readonly firingAtMs?: number;
  readonly resolvedAtMs?: number;
  /** While pending: for how long it was seen to be true. While firing: for how long it has been seen to be over. */
  readonly heldMs: number;
  /** While firing: it is over, and fires on for a while in case it comes back. */
  readonly clearing?: true;
  /** Since when nothing is known of it. It stays as it is until something is. */
  readonly missingSinceMs?: number;
  readonly summary: string;
  readonly advice: string;
  readonly signal?: ChartSignal;
  readonly acknowledged?: Acknowledgement;
}

/** A firing alert, with the instant since which it fires. */
export type FiringAlert = AlertState & { readonly firingAtMs: number };

export function isFiring(alert: AlertState): alert is FiringAlert {
  return alert.phase === "firing" && alert.firingAtMs !== undefined;
}

/** What has become of an alert. */
export interface Transition {
  /** `calmed`: pending, and over before it fired · `missing`, `seen`: nothing is known of it any more, something is again. */
  readonly kind: "pending" | "firing" | "resolved" | "calmed" | "missing" | "seen";
  readonly atMs: number;
  readonly alert: AlertState;
}
