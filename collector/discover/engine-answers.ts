/**
 * What the Engine API answers, as far as it is read here. Go writes an empty list or map as null or leaves it out, and
 * Podman leaves out more, so nearly every field may be absent. Names are the API's.
 */

export interface ListedContainer {
  readonly Id: string;
  readonly State?: string;
}

export interface InspectedContainer {
  readonly Id: string;
  /** With a leading slash. */
  readonly Name?: string;
  readonly Created?: string;
  readonly RestartCount?: number;
  readonly State?: {
    readonly Running?: boolean;
    readonly Pid?: number;
    readonly StartedAt?: string;
    readonly Health?: { readonly Status?: string } | null;
  };
  readonly Config?: {
    readonly Image?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
  readonly HostConfig?: {
    readonly NetworkMode?: string;
    readonly NanoCpus?: number;
    readonly CpuQuota?: number;
    readonly CpuPeriod?: number;
    readonly CpuShares?: number;
    readonly Memory?: number;
    readonly MemoryReservation?: number;
    readonly MemorySwap?: number;
  };
  readonly GraphDriver?: { readonly Data?: Readonly<Record<string, string>> | null } | null;
  readonly Mounts?: readonly InspectedMount[] | null;
  readonly NetworkSettings?: {
    readonly IPAddress?: string;
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string } | null>> | null;
  };
}

export interface InspectedMount {
  readonly Type?: string;
  readonly Name?: string;
  readonly Source?: string;
  readonly Destination?: string;
}

export interface EngineEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  /** Seconds, and the same instant in nanoseconds, which is more than a number can tell apart. */
  readonly time?: number;
  readonly timeNano?: number;
}
