/** Everything that makes one replica. */
export interface ReplicaTemplate {
  readonly image?: string;
  /** Replaces the image's entrypoint; `[]` clears it. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: string;
  /** Labels of the container, those of `deploy.labels` not among them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly PortMapping[];
  /** Ports of `expose:`, as `8080` or `8080/udp`. */
  readonly exposedPorts: readonly string[];
  readonly mounts: readonly Mount[];
  /** In the order in which the container joins them. */
  readonly networks: readonly NetworkAttachment[];
  /** `host`, `none`, `container:x`, `service:x`; absent: the networks above. */
  readonly networkMode?: string;
  readonly restart: RestartPolicy;
  /** Absent: the image's own, else SIGTERM. */
  readonly stopSignal?: string;
  /** From the stop signal to the kill. */
  readonly stopGraceMs: number;
  readonly healthcheck?: Healthcheck;
  readonly probe?: Probe;
  readonly resources: Resources;
  readonly container: ContainerOptions;
}

export interface PortMapping {
  readonly target: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly hostIp?: string;
  /** A port or a range `8000-8009`; absent: the engine chooses. */
  readonly published?: string;
}

export interface Mount {
  readonly type: "bind" | "volume" | "tmpfs";
  /** A path, or the engine's name of a volume; absent: an anonymous volume, fresh for each replica. */
  readonly source?: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly tmpfsSizeBytes?: number;
  readonly tmpfsMode?: number;
  /** Make a bind's missing source directory, as compose's short form does. */
  readonly createHostPath?: boolean;
  readonly propagation?: string;
  readonly noCopy?: boolean;
}

export interface NetworkAttachment {
  /** The engine's name of the network. */
  readonly network: string;
  /** Beside the service's and the container's name. */
  readonly aliases: readonly string[];
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
}

export interface RestartPolicy {
  /** `any`: whenever it ends; `on-failure`: when it ends with a status other than 0. */
  readonly condition: "none" | "on-failure" | "any";
  /** Before the first restart; doubled at each failure in a row. */
  readonly delayMs: number;
  readonly maxAttempts?: number;
  /** What compose's own `restart:` says, for the engine that keeps it by itself. */
  readonly compose?: string;
}

/** Compose's healthcheck: a command inside the replica. */
export interface Healthcheck {
  /** `["CMD", …]` or `["CMD-SHELL", line]`. */
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs?: number;
}

/** A question that Flyball itself asks each replica. What is absent of its timing has the default of its kind. */
export interface Probe {
  /** `cmd`: a command inside the replica, which is to end with status 0. */
  readonly kind: "http" | "tcp" | "cmd";
  /** The replica's own port; absent: the first one it has. */
  readonly port?: number;
  /** For http. */
  readonly path?: string;
  /** For cmd: the program and its arguments. */
  readonly command?: readonly string[];
  /** From one answer to the next question; `startIntervalMs` until the replica is ready. */
  readonly intervalMs?: number;
  readonly startIntervalMs?: number;
  readonly timeoutMs?: number;
  /** From the start of the replica to the first question. */
  readonly initialDelayMs?: number;
  /** From the start; until then failures do not count. Absent: those before the first success never do. */
  readonly startPeriodMs?: number;
  /** Failures in a row that make it unhealthy. */
  readonly retries?: number;
  /** Successes in a row that make it ready. */
  readonly successThreshold?: number;
}

export interface Resources {
  readonly limitCores?: number;
  readonly limitMemoryBytes?: number;
  readonly reservedCores?: number;
  readonly reservedMemoryBytes?: number;
  readonly limitPids?: number;
}

/** What only a container has. The process engine says which of these it does not honour. */
export interface ContainerOptions {
  readonly containerName?: string;
  readonly hostname?: string;
  readonly domainName?: string;
  readonly init?: boolean;
  readonly tty?: boolean;
  readonly stdinOpen?: boolean;
  readonly privileged?: boolean;
  readonly readOnly?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly securityOpt?: readonly string[];
  readonly groupAdd?: readonly string[];
  readonly devices?: readonly {
    readonly source: string;
    readonly target: string;
    readonly permissions: string;
  }[];
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** `name:address`. */
  readonly extraHosts?: readonly string[];
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly shmSizeBytes?: number;
  readonly pidMode?: string;
  readonly ipcMode?: string;
  readonly usernsMode?: string;
  readonly cgroupParent?: string;
  readonly runtime?: string;
  readonly platform?: string;
  readonly oomScoreAdj?: number;
  readonly oomKillDisable?: boolean;
  readonly memorySwapBytes?: number;
  readonly memorySwappiness?: number;
  readonly cpuShares?: number;
  readonly cpuset?: string;
  readonly logDriver?: string;
  readonly logOptions?: Readonly<Record<string, string>>;
  readonly pullPolicy?: "always" | "missing" | "never";
}
