import { STALE_AFTER_MS } from "../../core/staleness.ts";
import type { Service, ServiceId, SignsOfUse, TrafficReading } from "../../core/types.ts";
import type { TrafficTable } from "../table.ts";
import type { Sleeper } from "./waker.ts";

const HERE = "127.0.0.1";

/** The back-ends of services that may have no replica. */
export function sleepersOf({ backends }: TrafficTable, services: readonly Service[]): readonly Sleeper[] {
  const sleeping = new Set(
    services.filter(({ scaling }) => scaling?.idleMs !== undefined).map(({ id }) => id),
  );
  return backends
    .filter(({ service }) => sleeping.has(service))
    .map(({ name, service, mode, servers }) => ({ name, service, mode, places: servers }));
}

/** The table with where those are held who ask for a service that sleeps. @param ports by back-end */
export function withWakers(table: TrafficTable, ports: Readonly<Record<string, number>>): TrafficTable {
  return {
    ...table,
    backends: table.backends.map((backend) => {
      const port = ports[backend.name];
      return port === undefined ? backend : { ...backend, waker: { host: HERE, port } };
    }),
  };
}

/** Only of services that the balancer has counted for of late: of the others nobody knows whether they are used. */
export function signsOfUse(
  readings: readonly TrafficReading[],
  held: ReadonlyMap<ServiceId, { readonly waiting: number; readonly open: number }>,
  nowMs: number,
): ReadonlyMap<ServiceId, SignsOfUse> {
  const signs = new Map<ServiceId, SignsOfUse>();
  for (const { service, replica, readAtMs, open, requestsPerSecond = 0 } of readings) {
    if (replica !== undefined || nowMs - readAtMs > STALE_AFTER_MS) continue;
    const before = signs.get(service) ?? { waiting: 0, open: 0 };
    const lastRequestAtMs = requestsPerSecond > 0 ? readAtMs : before.lastRequestAtMs;
    signs.set(service, {
      ...before,
      open: before.open + open,
      ...(lastRequestAtMs === undefined ? {} : { lastRequestAtMs }),
    });
  }
  // Who waits is known, whatever else is not.
  for (const [service, { waiting, open }] of held) {
    const before = signs.get(service);
    if (before === undefined && waiting + open === 0) continue;
    signs.set(service, { ...before, waiting, open: (before?.open ?? 0) + open });
  }
  return signs;
}
