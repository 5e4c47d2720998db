import type { Diagnostics } from "../../core/diagnostics.ts";
import type { Service, UpdateRequest } from "../../core/types.ts";
import { parseDurationMs } from "../../core/units.ts";
import type { ComposeRollout, ComposeService } from "./model.ts";

const ACTIONS = ["continue", "pause", "rollback"] as const;

/** What `deploy.update_config` and `deploy.rollback_config` ask for; labels fill in what they leave open. */
export function updatesOf(
  { deploy }: ComposeService,
  labels: UpdateRequest,
  path: string,
  diagnostics: Diagnostics,
): Pick<Service, "updates"> {
  const update = {
    ...labels,
    ...requestOf(deploy?.update_config, `${path}.deploy.update_config`, diagnostics),
  };
  const rollback = {
    ...labels,
    ...requestOf(deploy?.rollback_config, `${path}.deploy.rollback_config`, diagnostics),
  };
  const isSilent = Object.keys(update).length + Object.keys(rollback).length === 0;
  return isSilent ? {} : { updates: { update, rollback } };
}

function requestOf(
  config: ComposeRollout | undefined,
  path: string,
  diagnostics: Diagnostics,
): UpdateRequest {
  if (config === undefined) return {};
  const { order, parallelism, failure_action: word, max_failure_ratio: maxFailureRatio } = config;
  const delayMs = durationOf(config.delay);
  const monitorMs = durationOf(config.monitor);
  const failureAction = ACTIONS.find((action) => action === word);
  if (word !== undefined && failureAction === undefined) {
    const place = { path: `${path}.failure_action` };
    diagnostics.warning(place, `expected ${ACTIONS.join(", ")}, got ${word}: it is left out`);
  }
  return {
    ...(order === undefined ? {} : { order }),
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(monitorMs === undefined ? {} : { monitorMs }),
    ...(maxFailureRatio === undefined ? {} : { maxFailureRatio }),
    ...(failureAction === undefined ? {} : { failureAction }),
  };
}

function durationOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDurationMs(text);
}
