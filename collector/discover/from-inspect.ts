import type { Discovered, DiscoveredLimits } from "./discovered.ts";
import type { InspectedContainer } from "./engine-answers.ts";

const DEFAULT_CPU_PERIOD_MICROSECONDS = 100_000;
/** Go's zero time, which stands for "never". */
const NEVER = "0001-";

/** A running container as it is to be read; undefined when it does not run. */
export function discoveredFrom(container: InspectedContainer): Discovered | undefined {
  const { State: state = {}, Config: config = {} } = container;
  const pid = state.Pid ?? 0;
  if (state.Running !== true || pid <= 0) return undefined;
  const createdAtMs = instantOf(container.Created);
  const startedAtMs = instantOf(state.StartedAt);
  const health = healthOf(state.Health?.Status);
  const writableLayer = container.GraphDriver?.Data?.["UpperDir"];
  const address = addressOf(container);
  return {
    id: container.Id,
    kind: "container",
    pid,
    name: (container.Name ?? container.Id.slice(0, 12)).replace(/^\//u, ""),
    ...(config.Image === undefined ? {} : { image: config.Image }),
    labels: config.Labels ?? {},
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(container.RestartCount === undefined ? {} : { restarts: container.RestartCount }),
    ...(health === undefined ? {} : { health }),
    network: networkOf(container.HostConfig?.NetworkMode ?? ""),
    limits: limitsOf(container.HostConfig ?? {}),
    ...(writableLayer === undefined || writableLayer === "" ? {} : { writableLayer }),
    volumes: volumesOf(container),
    ...(address === undefined ? {} : { address }),
  };
}

/** The engine's word for a container's health, from an inspection or a `health_status: …` event. */
export function healthOf(word: string | undefined): Discovered["health"] {
  return word === "starting" || word === "healthy" || word === "unhealthy" ? word : undefined;
}

function networkOf(mode: string): Discovered["network"] {
  if (mode === "none" || mode === "host") return mode;
  // Podman names a namespace by its path.
  return mode.startsWith("container:") || mode.startsWith("ns:") ? "shared" : "own";
}

function limitsOf(host: NonNullable<InspectedContainer["HostConfig"]>): DiscoveredLimits {
  const cpuPeriodMicroseconds = positive(host.CpuPeriod) ?? DEFAULT_CPU_PERIOD_MICROSECONDS;
  const nanoCpus = positive(host.NanoCpus);
  const cpuQuotaMicroseconds =
    nanoCpus === undefined ? positive(host.CpuQuota) : Math.round((nanoCpus / 1e9) * cpuPeriodMicroseconds);
  const cpuShares = positive(host.CpuShares);
  const memoryBytes = positive(host.Memory);
  const memoryReservationBytes = positive(host.MemoryReservation);
  const memorySwapBytes = positive(host.MemorySwap);
  return {
    ...(cpuQuotaMicroseconds === undefined ? {} : { cpuQuotaMicroseconds, cpuPeriodMicroseconds }),
    ...(cpuShares === undefined ? {} : { cpuShares }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(memoryReservationBytes === undefined ? {} : { memoryReservationBytes }),
    ...(memorySwapBytes === undefined ? {} : { memorySwapBytes }),
  };
}

function volumesOf({ Mounts }: InspectedContainer): Discovered["volumes"] {
  return (Mounts ?? []).flatMap(({ Type, Name, Source, Destination }) =>
    Type === "volume" && Name !== undefined && Source !== undefined && Destination !== undefined
      ? [{ name: Name, path: Source, target: Destination }]
      : [],
  );
}

function addressOf({ HostConfig, NetworkSettings }: InspectedContainer): string | undefined {
  if (HostConfig?.NetworkMode === "host") return "127.0.0.1";
  const networks = Object.values(NetworkSettings?.Networks ?? {});
  const addresses = [...networks.map((network) => network?.IPAddress), NetworkSettings?.IPAddress];
  return addresses.find((address) => address !== undefined && address !== "");
}

/** Docker says 0, Podman also -1, for no limit. */
function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function instantOf(text: string | undefined): number | undefined {
  if (text === undefined || text.startsWith(NEVER)) return undefined;
  const instantMs = Date.parse(text);
  return Number.isNaN(instantMs) ? undefined : instantMs;
}
