import type { AlertView, SilenceView } from "../core/wire-alerts.ts";
import type { AlertState } from "./state.ts";
import type { Silence, Suppression } from "./suppression.ts";

export function alertView(alert: AlertState, suppression: Suppression | undefined): AlertView {
  const { fingerprint, phase, severity, labels, summary, advice, pendingAtMs } = alert;
  const { firingAtMs, resolvedAtMs, missingSinceMs, acknowledged } = alert;
  return {
    id: fingerprint,
    state: phase,
    severity,
    labels: { ...labels },
    summary,
    advice,
    pendingAtMs,
    ...(firingAtMs === undefined ? {} : { firingAtMs }),
    ...(resolvedAtMs === undefined ? {} : { resolvedAtMs }),
    ...(missingSinceMs === undefined ? {} : { missingSinceMs }),
    ...(acknowledged === undefined ? {} : { acknowledged }),
    ...(suppression === undefined ? {} : { suppressedBy: because(suppression) }),
  };
}

function because(suppression: Suppression): string {
  switch (suppression.by) {
    case "silence":
      return `silence ${suppression.id}`;
    case "inhibition":
      return `inhibited by ${suppression.fingerprint}`;
    case "acknowledgement":
      return "acknowledged";
  }
}

export function silenceView(
  silence: Silence,
  suppressed: ReadonlyMap<string, Suppression>,
  nowMs: number,
): SilenceView {
  const { startsAtMs, endsAtMs, matchers } = silence;
  const state = nowMs >= endsAtMs ? "expired" : nowMs < startsAtMs ? "pending" : "active";
  const quiet = Array.from(suppressed.values()).filter(
    (one) => one.by === "silence" && one.id === silence.id,
  );
  return { ...silence, matchers: [...matchers], state, alerts: quiet.length };
}
