/**
 * What the Engine API sends and takes, as far as it is read or written here. Go writes an empty list or map as null
 * or leaves it out, so nearly every field may be absent. Names are the API's.
 */

export type Labels = Readonly<Record<string, string>>;

export interface ListedContainer {
  readonly Id: string;
  readonly Names?: readonly string[] | null;
  readonly State?: string;
  readonly Status?: string;
  /** Seconds since 1970. */
  readonly Created?: number;
  readonly Labels?: Labels | null;
  /** The image's id. */
  readonly ImageID?: string;
  readonly Mounts?: readonly { readonly Type: string; readonly Name?: string | undefined }[] | null;
  /** Of the container's own layer; only where sizes were asked for. */
  readonly SizeRw?: number;
}

export interface ListedVolume {
  readonly Name: string;
  readonly Labels?: Labels | null;
  readonly CreatedAt?: string;
}

export interface ListedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  /** Seconds since 1970. */
  readonly Created?: number;
  readonly Size?: number;
  /** Of its layers, what other images have too; -1 where nobody has counted. */
  readonly SharedSize?: number;
}

/** Sizes of everything that the engine keeps. */
export interface DiskUse {
  readonly Containers?: readonly ListedContainer[] | null;
  readonly Images?: readonly ListedImage[] | null;
  readonly Volumes?:
    | readonly { readonly Name: string; readonly UsageData?: { readonly Size?: number } | null }[]
    | null;
}

export interface InspectedContainer {
  /** Starts by the engine itself, by its restart policy. */
  readonly RestartCount?: number;
  readonly Id: string;
  /** With a leading slash. */
  readonly Name: string;
  readonly Created: string;
  /** The image's id. */
  readonly Image: string;
  readonly State: {
    readonly Status: string;
    readonly Pid?: number;
    readonly ExitCode?: number;
    readonly OOMKilled?: boolean;
    readonly StartedAt?: string;
    readonly FinishedAt?: string;
    readonly Health?: {
      readonly Status?: string;
      readonly Log?: readonly { readonly End?: string; readonly ExitCode?: number }[] | null;
    } | null;
  };
  readonly Config: ContainerConfig;
  readonly HostConfig: HostConfig;
  readonly NetworkSettings: {
    readonly Ports?: Readonly<Record<string, readonly PortBinding[] | null>> | null;
    readonly Networks?: Readonly<Record<string, Endpoint>> | null;
  };
}

/** The fields of a container's `Config` that mean something here; the others travel along as they are. */
export interface ContainerConfig {
  readonly [field: string]: unknown;
  readonly Image?: string;
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Labels?: Labels | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Tty?: boolean;
  readonly MacAddress?: string;
}

/** The same of its `HostConfig`. */
export interface HostConfig {
  readonly [field: string]: unknown;
  readonly NetworkMode?: string;
  readonly UTSMode?: string;
  readonly Binds?: readonly string[] | null;
  readonly Mounts?: readonly MountSpec[] | null;
  readonly Links?: readonly string[] | null;
  readonly PortBindings?: Readonly<Record<string, readonly PortBinding[] | null>> | null;
  readonly NanoCpus?: number;
  readonly CpuQuota?: number;
  readonly Memory?: number;
  readonly PidsLimit?: number | null;
  readonly RestartPolicy?: { readonly Name?: string } | null;
  readonly Devices?: readonly { readonly PathOnHost?: string }[] | null;
  readonly DeviceRequests?: readonly { readonly DeviceIDs?: readonly string[] | null }[] | null;
  readonly AutoRemove?: boolean;
}

export interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

export interface MountSpec {
  readonly [field: string]: unknown;
  readonly Type: string;
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
}

/** A container's seat in a network. */
export interface Endpoint {
  readonly NetworkID?: string;
  readonly IPAddress?: string;
  readonly GlobalIPv6Address?: string;
  readonly Aliases?: readonly string[] | null;
  readonly Links?: readonly string[] | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly GwPriority?: number;
  readonly IPAMConfig?: { readonly IPv4Address?: string; readonly IPv6Address?: string } | null;
}

/** A network to join, and as what. */
export interface NetworkSeat {
  readonly network: string;
  readonly endpoint: Endpoint;
}

export interface ContainerBody extends ContainerConfig {
  readonly HostConfig: HostConfig;
}

/** What `POST /containers/create` takes. */
export interface CreateBody extends ContainerBody {
  readonly NetworkingConfig?: { readonly EndpointsConfig: Readonly<Record<string, Endpoint>> };
}

/** A container to make, whole: engines before API 1.44 need it done in several calls. */
export interface ContainerPlan {
  readonly name: string;
  readonly platform?: string;
  readonly body: ContainerBody;
  /** In the order in which it joins them. */
  readonly seats: readonly NetworkSeat[];
}

export interface EngineEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Labels | null };
}

/** One file of a container, with what `GET …/archive` says of it. */
export interface FileStat {
  readonly size: number;
  /** Go's file mode: the type in the high bits. */
  readonly mode: number;
  readonly mtime: string;
}
