import { HOUR_MS, MINUTE_MS } from "../../core/units.ts";
import type { AlertRule } from "../rule.ts";
import { ofServices } from "./subject.ts";

const REMEMBERED_MS = HOUR_MS;

/** A release failed, and what ran before runs again. */
export const ROLLOUT_ROLLED_BACK: AlertRule = {
  name: "RolloutRolledBack",
  meaning: "a rollout failed and was taken back within the last hour",
  severity: "warning",
  forMs: 0,
  keepFiringForMs: 0,
  noData: "keep",
  look: (facts, nowMs) =>
    ofServices(facts, "RolloutRolledBack", ({ id, rollout }) => {
      const isBack = rollout?.state === "rolled back" || rollout?.state === "rolling back";
      const endedAtMs = rollout?.endedAtMs ?? nowMs;
      return {
        truth: isBack && nowMs - endedAtMs < REMEMBERED_MS,
        summary: `the rollout of ${id} failed: ${rollout?.sentence ?? ""}`,
        advice: `What runs is the template before. Read what the new replicas wrote (flyball ps --failures), and release again`,
        signal: { metric: "replicas" },
      };
    }),
};

/** A release stands still until a person decides. */
export const ROLLOUT_PAUSED: AlertRule = {
  name: "RolloutPaused",
  meaning: "a rollout failed and waits for a person",
  severity: "critical",
  forMs: 0,
  keepFiringForMs: 0,
  noData: "keep",
  look: (facts) =>
    ofServices(facts, "RolloutPaused", ({ id, rollout }) => ({
      truth: rollout?.state === "paused",
      summary: `the rollout of ${id} waits for you: ${rollout?.sentence ?? ""}`,
      advice: `flyball resume-rollout ${id} tries again, flyball rollback ${id} goes back to the last healthy one`,
      signal: { metric: "replicas" },
    })),
};

const SLOW_MS = 15 * MINUTE_MS;

/** A release that neither ends nor fails. */
export const ROLLOUT_SLOW: AlertRule = {
  name: "RolloutSlow",
  meaning: "a rollout is under way for longer than a quarter of an hour",
  severity: "info",
  forMs: 0,
  keepFiringForMs: 0,
  noData: "keep",
  look: (facts, nowMs) =>
    ofServices(facts, "RolloutSlow", ({ id, rollout }) => ({
      truth:
        (rollout?.state === "updating" || rollout?.state === "rolling back") &&
        nowMs - rollout.startedAtMs > SLOW_MS,
      summary: `the rollout of ${id} takes long: ${rollout?.sentence ?? ""}`,
      advice:
        "flyball rollouts shows how far it is; a longer progress deadline or a higher parallelism may suit it",
    })),
};
