import { choice } from "./read.ts";
import {
  asList,
  asMapping,
  has,
  isMapping,
  mapValues,
  scalarText,
  type YamlMapping,
  type YamlValue,
} from "./values.ts";

/**
 * The defaults of the Compose Specification put into a merged, canonical document: the default network, names of
 * resources, dependencies that other keys imply.
 */
export function applyDefaults(document: YamlMapping, projectName: string): YamlMapping {
  const services = mapValues(asMapping(document["services"]), (service) =>
    serviceDefaults(asMapping(service)),
  );
  const usesDefault = Object.values(services).some(
    (service) => "default" in asMapping(asMapping(service)["networks"]),
  );
  const declared = asMapping(document["networks"]);
  const networks = usesDefault && !("default" in declared) ? { ...declared, default: null } : declared;
  const named = (section: YamlMapping) =>
    mapValues(section, (value, name) => {
      const resource = asMapping(value);
      const isExternal = choice(resource["external"] ?? false) === true;
      return { ...resource, name: resource["name"] ?? (isExternal ? name : `${projectName}_${name}`) };
    });
  return {
    ...document,
    name: projectName,
    services,
    networks: named(networks),
    volumes: named(asMapping(document["volumes"])),
    secrets: named(asMapping(document["secrets"])),
    configs: named(asMapping(document["configs"])),
  };
}

function serviceDefaults(service: YamlMapping): YamlMapping {
  const dependencies = mapValues(asMapping(service["depends_on"]), (dependency) => ({
    condition: "service_started",
    required: true,
    ...asMapping(dependency),
  }));
  for (const [name, restart] of impliedDependencies(service)) {
    if (!has(dependencies, name)) {
      dependencies[name] = { condition: "service_started", restart, required: true };
    }
  }
  const networks = asMapping(service["networks"]);
  const hasNetworks = Object.keys(networks).length > 0;
  return {
    ...service,
    ...(Object.keys(dependencies).length > 0 ? { depends_on: dependencies } : {}),
    ...("network_mode" in service ? {} : { networks: hasNetworks ? networks : { default: null } }),
    ...(service["pull_policy"] === "if_not_present" ? { pull_policy: "missing" } : {}),
    ...("build" in service ? { build: buildDefaults(asMapping(service["build"])) } : {}),
    ...("ports" in service
      ? {
          ports: asList(service["ports"]).map((port) => ({
            mode: "ingress",
            protocol: "tcp",
            ...asMapping(port),
          })),
        }
      : {}),
    ...("secrets" in service ? { secrets: asList(service["secrets"]).map(secretDefaults) } : {}),
  };
}

/** Builds without a context build the directory of the project; this comes before paths are made absolute. */
export function withBuildContexts(document: YamlMapping): YamlMapping {
  if (!("services" in document)) return document;
  const services = mapValues(asMapping(document["services"]), (service) => {
    const { build, ...rest } = asMapping(service);
    return isMapping(build) ? { ...rest, build: { context: ".", ...build } } : service;
  });
  return { ...document, services };
}

function* impliedDependencies(service: YamlMapping): Generator<[name: string, restart: boolean]> {
  for (const link of asList(service["links"])) yield [scalarText(link).split(":", 1)[0] ?? "", true];
  for (const key of ["network_mode", "ipc", "pid", "uts", "cgroup"]) {
    const shared = /^service:(.*)$/u.exec(scalarText(service[key] ?? null))?.[1];
    if (shared !== undefined) yield [shared, true];
  }
}

function buildDefaults(build: YamlMapping): YamlMapping {
  const hasDockerfile = "dockerfile" in build || "dockerfile_inline" in build;
  return {
    ...(hasDockerfile ? {} : { dockerfile: "Dockerfile" }),
    ...build,
  };
}

function secretDefaults(value: YamlValue): YamlValue {
  const secret = asMapping(value);
  return { target: `/run/secrets/${scalarText(secret["source"] ?? null)}`, ...secret };
}
