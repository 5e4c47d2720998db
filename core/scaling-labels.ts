import { label } from "./label-reader.ts";
import {
  readBoolean,
  readCount,
  readDuration,
  readNumber,
  readPercent,
  readPositive,
  readQuery,
  readSwitch,
  readWord,
} from "./label-values.ts";
import { readSchedule } from "./schedule-label.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "./units.ts";

export const SCALING_PREFIX = "autoscale.";

/** How a service scales. Each may have a default in the configuration, under its name without the prefix. */
export const SCALING_LABELS = {
  maxCpu: label("autoscale.max_cpu", readPercent, {
    aliases: ["aliyun.auto_scaling.max_cpu"],
    meaning: "scale out above; percent of the CPU limit, else of the reservation, else of one core",
    defaultText: "none",
    example: "70",
  }),
  minCpu: label("autoscale.min_cpu", readPercent, {
    aliases: ["aliyun.auto_scaling.min_cpu"],
    meaning:
      "scale in below; without it a service scales in when what remains would stay below 80 % of `max_cpu`",
    defaultText: "none",
    example: "30",
  }),
  maxMemory: label("autoscale.max_memory", readPercent, {
    aliases: ["aliyun.auto_scaling.max_memory"],
    meaning: "scale out above; working set in percent of the memory limit, else of the reservation",
    defaultText: "none",
    example: "80",
  }),
  minMemory: label("autoscale.min_memory", readPercent, {
    aliases: ["aliyun.auto_scaling.min_memory"],
    meaning: "scale in below; as for CPU",
    defaultText: "none",
    example: "40",
  }),
  maxRps: label("autoscale.max_rps", readPositive, {
    meaning: "scale out above; requests per second of one replica, from its own metrics (`metrics.port`)",
    defaultText: "none",
    example: "150",
  }),
  minRps: label("autoscale.min_rps", readPositive, {
    meaning: "scale in below; as for CPU",
    defaultText: "none",
    example: "60",
  }),
  maxLatency: label("autoscale.max_latency", readDuration(1, HOUR_MS), {
    meaning: "scale out when 5 % of the requests take longer, by the replicas' own metrics (`metrics.port`)",
    defaultText: "none",
    example: "250ms",
  }),
  query: label("autoscale.query", readQuery, {
    meaning:
      "PromQL that gives one number, which falls when replicas are added; asked of the `prometheus` of the configuration",
    defaultText: "none",
    example: "sum(jobs_waiting) / count(worker_up)",
  }),
  queryMax: label("autoscale.query_max", readPositive, {
    meaning: "scale out when the query's answer is above; needed with `query`",
    defaultText: "none",
    example: "10",
  }),
  queryMin: label("autoscale.query_min", readNumber, {
    meaning: "scale in when it is below; as for CPU",
    defaultText: "none",
    example: "2",
  }),
  policy: label("autoscale.policy", readWord("step", "target"), {
    meaning:
      "`step`: so many replicas more or fewer at a time; `target`: as many as keep use near the thresholds",
    defaultText: "`step` with `autoscale.step`, else `target`",
    example: "target",
  }),
  step: label("autoscale.step", readCount(1), {
    aliases: ["aliyun.auto_scaling.step"],
    meaning: "replicas per step, out and in",
    defaultText: "1",
    example: "2",
  }),
  min: label("autoscale.min", readCount(0), {
    aliases: ["aliyun.auto_scaling.min_instances"],
    meaning:
      "never fewer replicas; with 0 there is none while nobody uses the service, which takes `lb.port` or `autoscale.query` to wake it",
    defaultText: "1",
    example: "2",
  }),
  max: label("autoscale.max", readCount(1), {
    aliases: ["aliyun.auto_scaling.max_instances"],
    meaning: "never more replicas",
    defaultText: "10",
    example: "20",
  }),
  idle: label("autoscale.idle", readDuration(SECOND_MS, 30 * 24 * HOUR_MS), {
    meaning: "with `min: 0`: the last replica goes when nobody has used the service for so long",
    defaultText: "10m",
    example: "30m",
  }),
  window: label("autoscale.window", readDuration(2 * SECOND_MS, 15 * MINUTE_MS), {
    meaning: "use is averaged over this; a jump shows in its last fifth, and is answered from there",
    defaultText: "10s",
    example: "30s",
  }),
  cooldown: label("autoscale.cooldown", readDuration(0, 24 * HOUR_MS), {
    meaning: "pause after a scale-out before the next one",
    defaultText: "`15s`; with `target` none",
    example: "1m",
  }),
  stabilization: label("autoscale.stabilization", readDuration(0, 24 * HOUR_MS), {
    meaning: "a scale-in must have been wanted for this long without a break",
    defaultText: "learned; `5m` until then",
    example: "2m",
  }),
  scaleInsPerHour: label("autoscale.scale_ins_per_hour", readCount(1), {
    meaning: "never more scale-ins than this in an hour",
    defaultText: "none",
    example: "4",
  }),
  schedule: label("autoscale.schedule", readSchedule, {
    meaning:
      "other bounds than `min` and `max` from the times that cron lines name, in UTC or a time zone; entries are separated by `;`",
    defaultText: "none",
    example: "0 8 * * 1-5 Europe/Berlin = 4..20; 0 20 * * * Europe/Berlin = 1..6",
  }),
  predict: label("autoscale.predict", readSwitch, {
    meaning: "raise the count ahead of a load that the service's own history expects",
    defaultText: "off",
    example: "on",
  }),
  dryRun: label("autoscale.dry_run", readBoolean, {
    meaning: "decide and record, do not act",
    defaultText: "false",
    example: "true",
  }),
  onExternalChange: label("autoscale.on_external_change", readWord("adopt", "restore", "hold"), {
    meaning:
      "when compose or a person changes the count: `adopt` goes on from theirs, `restore` puts ours back, `hold` leaves it until the next scale",
    defaultText: "adopt",
    example: "hold",
  }),
} as const;
