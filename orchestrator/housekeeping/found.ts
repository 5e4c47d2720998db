import type { ReplicaId, ServiceId } from "../../core/types.ts";

/** `log` and `record` are files of the process engine. */
export type FoundKind = "replica" | "volume" | "image" | "log" | "record";

/** Something that the engine has, and that may be of use to nobody: as it is, without a judgement. */
export interface Found {
  readonly kind: FoundKind;
  /** A container's or image's id, a volume's name, a file's name. */
  readonly id: ReplicaId | string;
  /** For people. */
  readonly name: string;
  /** Absent: nobody has counted. */
  readonly bytes?: number;
  readonly createdAtMs?: number;
  /** A container has it. Of a replica: it runs. */
  readonly inUse: boolean;
  /** A person gave it a name, a tag or a label. */
  readonly isNamed: boolean;
  /** Of a replica: the daemon's instance that made it; absent: somebody else. */
  readonly owner?: string;
  readonly project?: string;
  readonly service?: ServiceId;
  /** Of a replica: made, and never started. */
  readonly unstarted?: boolean;
  /** Of an image: repositories that it was pulled from. */
  readonly repositories?: readonly string[];
}

/** What a replica of a managed service has at this moment. */
export interface Use {
  readonly kind: "volume" | "image";
  readonly id: string;
  readonly service: ServiceId;
}

export function keyOf({ kind, id }: { readonly kind: FoundKind; readonly id: string }): string {
  return `${kind} ${id}`;
}
