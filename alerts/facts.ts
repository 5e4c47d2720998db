import type { AlertRequest } from "../core/alert.ts";
import type { Evaluation, Hold, ObservedReplica, ServiceId } from "../core/types.ts";

/** All that alerts are made from, at one moment. A field that is absent is not known, which is never zero. */
export interface AlertFacts {
  readonly services: readonly ServiceFacts[];
  readonly engine: EngineFacts;
  readonly collector: CollectorFacts;
  /** Absent: nobody has looked. One that is missing among them is not there any more. */
  readonly filesystems?: readonly FilesystemFacts[];
  /** How the channels do that tell of alerts. */
  readonly channels: readonly ChannelFacts[];
  /** Why the data directory cannot be written to; absent: it can. */
  readonly storeTrouble?: string;
}

export interface ServiceFacts {
  readonly id: ServiceId;
  readonly project: string;
  readonly name: string;
  readonly businessLabels: Readonly<Record<string, string>>;
  readonly desired: number;
  /** Absent: the engine cannot be seen, or was not yet. */
  readonly replicas?: readonly ObservedReplica[];
  readonly scales: boolean;
  /** The newest evaluation; absent: there was none yet. */
  readonly decision?: Pick<Evaluation, "atMs" | "from" | "wanted" | "to" | "verdicts" | "limits">;
  /** Absent: the engine cannot be seen, or was not yet. */
  readonly holds?: readonly Hold[];
  /** Mean over the ready replicas, of the moment: cpu and memory 0..1, requests per second of one, milliseconds at p95. */
  readonly levels: Readonly<Partial<Record<"cpu" | "memory" | "rps" | "latency", number>>>;
  readonly rollout?: RolloutFacts;
  /** Replicas that failed lately, in any order. */
  readonly failures: readonly FailureFacts[];
  /** What its labels ask to be told of. */
  readonly requests: readonly AlertRequest[];
  /** Built-in rules that its labels turn off. */
  readonly off: readonly string[];
}

export interface RolloutFacts {
  readonly state: "updating" | "rolling back" | "paused" | "done" | "rolled back";
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly reason?: string;
  readonly sentence: string;
}

export interface FailureFacts {
  readonly failure: "error" | "oom" | "restarting" | "unhealthy";
  readonly slot: number;
  /** One clause, as `ended with status 3`. */
  readonly reason: string;
  readonly takenAtMs: number;
}

export interface EngineFacts {
  readonly description: string;
  /** Why it cannot be seen now; absent: it can. */
  readonly trouble?: string;
}

export interface CollectorFacts {
  readonly state: "starting" | "running" | "dead";
  /** Absent: nothing was heard of it yet. */
  readonly lastBatchAtMs?: number;
}

export interface FilesystemFacts {
  readonly mountPoint: string;
  readonly sizeBytes: number;
  /** To who is not root. */
  readonly availableBytes: number;
  /** It holds the data directory. */
  readonly isOwn: boolean;
  /** When it will be full if it goes on as over its history; absent: it does not fill, or too little is known. */
  readonly fullInMs?: number;
}

export interface ChannelFacts {
  readonly name: string;
  /** Since when nothing could be delivered; absent: it delivers, or nothing was asked of it. */
  readonly failingSinceMs?: number;
  /** What was said of the last attempt, without secrets. */
  readonly trouble?: string;
  readonly waiting: number;
  /** Notifications that were given up since the last one that was delivered. */
  readonly lost: number;
}
