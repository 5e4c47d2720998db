import type { Service, ServiceId, SignsOfUse } from "../core/types.ts";

/**
 * What a service needs is used for as long as the service is: who waits for the one waits for the other too, and what
 * is awake keeps what it depends on awake.
 */
export function withDependents(
  services: readonly Service[],
  signs: ReadonlyMap<ServiceId, SignsOfUse>,
  desired: (service: Service) => number,
): ReadonlyMap<ServiceId, SignsOfUse> {
  if (!services.some(maySleep)) return signs;
  const all = new Map(signs);
  const byId = new Map(services.map((service) => [service.id, service]));
  const seen = new Set<ServiceId>();
  // Those that depend come before what they depend on, so that what is far down hears of it in one go.
  const visit = (service: Service): void => {
    if (seen.has(service.id)) return;
    seen.add(service.id);
    for (const other of services)
      if (other.dependsOn.some(({ service: id }) => id === service.id)) visit(other);
    const own = all.get(service.id);
    const waits = (own?.waiting ?? 0) > 0;
    if (!waits && desired(service) === 0) return;
    for (const { service: id } of service.dependsOn) {
      const needed = byId.get(id);
      if (needed === undefined) continue;
      const before = all.get(id) ?? { waiting: 0, open: 0 };
      all.set(id, { ...before, waiting: before.waiting + 1, open: before.open + 1 });
    }
  };
  for (const service of services) visit(service);
  return all;
}

export function maySleep({ scaling }: Service): boolean {
  return scaling?.idleMs !== undefined;
}
