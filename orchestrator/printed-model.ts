/**
 * `docker compose config` prints a few things that a compose file may not say, and that it would not read again
 * itself. This writes them as a file says them. What is no model at all stays as it is, to be refused by the reader.
 */
export function readableModel(printed: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const services = mapping(printed["services"]);
  if (services === undefined) return { ...printed };
  const readable = Object.entries(services).map(([name, service]) => [
    name,
    readableService(service, services),
  ]);
  return { ...printed, services: Object.fromEntries(readable) };
}

function readableService(service: unknown, services: Readonly<Record<string, unknown>>): unknown {
  const fields = mapping(service);
  if (fields === undefined) return service;
  const { depends_on: dependsOn, blkio_config: blkio, memswap_limit: swap } = fields;
  return {
    ...fields,
    ...(mapping(dependsOn) === undefined ? {} : { depends_on: withoutDisabled(dependsOn, services) }),
    ...(blkio === undefined ? {} : { blkio_config: withSmallKeys(blkio) }),
    ...(swap === "-1" ? { memswap_limit: -1 } : {}),
  };
}

/** A dependency that may be missing is printed also when its profile leaves it out. */
function withoutDisabled(dependsOn: unknown, services: Readonly<Record<string, unknown>>): unknown {
  const entries = Object.entries(mapping(dependsOn) ?? {});
  return Object.fromEntries(
    entries.filter(
      ([other, dependency]) => Object.hasOwn(services, other) || mapping(dependency)?.["required"] !== false,
    ),
  );
}

/** `Path`, `Rate` and `Weight`. */
function withSmallKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSmallKeys);
  const fields = mapping(value);
  if (fields === undefined) return value;
  return Object.fromEntries(
    Object.entries(fields).map(([key, entry]) => [key.toLowerCase(), withSmallKeys(entry)]),
  );
}

function mapping(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
