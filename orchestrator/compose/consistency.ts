import { parseSize } from "./quantities.ts";
import { choice } from "./read.ts";
import {
  asList,
  asMapping,
  describe,
  has,
  isMapping,
  type Report,
  scalarText,
  type YamlMapping,
  type YamlPath,
  type YamlValue,
} from "./values.ts";

/**
 * What must hold between the parts of a document that has its defaults. `enabled` are the services whose profiles are
 * on; only they are checked.
 */
export function checkConsistency(document: YamlMapping, enabled: YamlMapping, report: Report): void {
  for (const [name, service] of Object.entries(enabled)) {
    checkService(asMapping(service), { name, document, enabled, report });
  }
  for (const [name, volume] of Object.entries(asMapping(document["volumes"]))) {
    checkExternal(asMapping(volume), ["volumes", name], report);
  }
  for (const [name, secret] of Object.entries(asMapping(document["secrets"]))) {
    checkSource(asMapping(secret), ["file", "environment"], ["secrets", name], report);
  }
  for (const [name, config] of Object.entries(asMapping(document["configs"]))) {
    checkSource(asMapping(config), ["file", "environment", "content"], ["configs", name], report);
  }
  checkCircles(enabled, report);
}

interface ServiceContext {
  readonly name: string;
  readonly document: YamlMapping;
  readonly enabled: YamlMapping;
  readonly report: Report;
}

function checkService(service: YamlMapping, context: ServiceContext): void {
  const problem = (keys: YamlPath, message: string) =>
    context.report(["services", context.name, ...keys], message);
  if (
    !["image", "build", "command"].some(
      (key) => key in service && service[key] !== null && service[key] !== "",
    )
  ) {
    problem([], `expected an image, a build or a command, got none of them`);
  }
  if ("network_mode" in service && Object.keys(asMapping(service["networks"])).length > 0) {
    problem(["network_mode"], "expected network_mode or networks, got both");
  }
  const build = asMapping(service["build"]);
  if ("dockerfile" in build && "dockerfile_inline" in build) {
    problem(["build"], "expected dockerfile or dockerfile_inline, got both");
  }
  checkPlatforms(service, build, problem);
  const test = asList(asMapping(service["healthcheck"])["test"]);
  if (test.length > 0 && !["CMD", "CMD-SHELL", "NONE"].includes(scalarText(test[0] ?? null))) {
    problem(
      ["healthcheck", "test"],
      `expected CMD, CMD-SHELL or NONE first, got ${describe(test[0] ?? null)}`,
    );
  }
  checkDependencies(service, context, problem);
  checkReferences(service, context, problem);
  checkScale(service, problem);
  checkResources(service, problem);
}

type Problem = (keys: YamlPath, message: string) => void;

function checkPlatforms(service: YamlMapping, build: YamlMapping, problem: Problem): void {
  const platforms = asList(build["platforms"]);
  const platform = service["platform"];
  if (platform === undefined || platforms.length === 0 || platforms.includes(platform)) return;
  problem(
    ["build", "platforms"],
    `expected the service's platform ${describe(platform)} among them, got none such`,
  );
}

function checkDependencies(
  service: YamlMapping,
  { document, enabled }: ServiceContext,
  problem: Problem,
): void {
  for (const [other, dependency] of Object.entries(asMapping(service["depends_on"]))) {
    if (has(enabled, other)) continue;
    const services = asMapping(document["services"]);
    if (!has(services, other)) {
      problem(
        ["depends_on", other],
        `expected a service of this project, got "${other}", which is not defined`,
      );
    } else if (choice(asMapping(dependency)["required"] ?? true) === true) {
      const profiles = asList(asMapping(services[other])["profiles"]).map(scalarText).join(", ");
      problem(
        ["depends_on", other],
        `expected a service that is on, got "${other}", which needs the profile ${profiles}; turn it on, or set required: false`,
      );
    }
  }
}

function checkReferences(service: YamlMapping, { document }: ServiceContext, problem: Problem): void {
  const check = (section: string, name: string, keys: YamlPath) => {
    if (has(asMapping(document[section]), name)) return;
    problem(
      keys,
      `expected one of the ${section} defined at the top level, got "${name}", which is not among them`,
    );
  };
  for (const name of Object.keys(asMapping(service["networks"]))) check("networks", name, ["networks", name]);
  for (const [index, item] of asList(service["volumes"]).entries()) {
    const mount = asMapping(item);
    const source = scalarText(mount["source"] ?? null);
    if (mount["type"] === "volume" && source !== "") check("volumes", source, ["volumes", index]);
    if (mount["type"] === "bind" && source === "") {
      problem(["volumes", index], "expected a source for the bind mount, got none");
    }
  }
  const references = [
    { section: "secrets", keys: ["secrets"], list: service["secrets"] },
    { section: "configs", keys: ["configs"], list: service["configs"] },
    { section: "secrets", keys: ["build", "secrets"], list: asMapping(service["build"])["secrets"] },
  ];
  for (const { section, keys, list } of references) {
    for (const [index, item] of asList(list).entries()) {
      check(section, scalarText(asMapping(item)["source"] ?? null), [...keys, index]);
    }
  }
}

function checkScale(service: YamlMapping, problem: Problem): void {
  const scale = service["scale"];
  const replicas = asMapping(service["deploy"])["replicas"];
  const both = isSet(scale) && isSet(replicas);
  if (both && Number(scale) !== Number(replicas)) {
    problem(
      ["deploy", "replicas"],
      `expected scale and deploy.replicas to be the same, got ${scalarText(scale)} and ${scalarText(replicas)}`,
    );
  }
  const count = Number(scale ?? replicas ?? 1);
  if (count > 1 && isSet(service["container_name"])) {
    problem(["container_name"], `expected no container_name for a service of ${count} replicas, got one`);
  }
}

function checkResources(service: YamlMapping, problem: Problem): void {
  const resources = asMapping(asMapping(service["deploy"])["resources"]);
  const pairs = [
    ["cpus", "limits", "cpus", Number],
    ["mem_limit", "limits", "memory", sizeOf],
    ["mem_reservation", "reservations", "memory", sizeOf],
    ["pids_limit", "limits", "pids", Number],
  ] as const;
  for (const [own, group, name, amount] of pairs) {
    const value = service[own];
    if (!isSet(value) || amount(value) === 0 || !isMapping(resources[group])) continue;
    const other = asMapping(resources[group])[name] ?? null;
    if (amount(value) === amount(other ?? 0)) continue;
    problem(
      [own],
      `expected the same as deploy.resources.${group}.${name}, got ${scalarText(value)} and ${other === null ? "nothing" : scalarText(other)}`,
    );
  }
}

function sizeOf(value: YamlValue): number {
  return typeof value === "number" ? value : (parseSize(scalarText(value)) ?? 0);
}

function isSet(value: YamlValue | undefined): value is YamlValue {
  return value !== undefined && value !== null && value !== "";
}

function checkExternal(resource: YamlMapping, path: YamlPath, report: Report): void {
  if (choice(resource["external"] ?? false) !== true) return;
  for (const name of Object.keys(resource)) {
    if (["name", "external"].includes(name) || name.startsWith("x-")) continue;
    report([...path, name], `expected only a name beside external: true, got "${name}"`);
  }
}

function checkSource(
  resource: YamlMapping,
  sources: readonly string[],
  path: YamlPath,
  report: Report,
): void {
  const given = sources.filter((source) => source in resource);
  const wanted = sources.join(", ").replace(/, (?=[^,]*$)/u, " or ");
  if (given.length > 1) report(path, `expected one of ${wanted}, got ${given.join(" and ")}`);
  if (given.length === 0 && !("driver" in resource) && !("external" in resource)) {
    report(path, `expected ${wanted}, got none of them`);
  }
}

/** Reports each circle of dependencies once. */
function checkCircles(services: YamlMapping, report: Report): void {
  const done = new Set<string>();
  const visit = (name: string, chain: readonly string[]) => {
    const at = chain.indexOf(name);
    if (at !== -1) {
      const circle = [...chain.slice(at), name];
      report(
        ["services", name, "depends_on"],
        `expected dependencies without a circle, got ${circle.join(" -> ")}`,
      );
      return;
    }
    if (done.has(name)) return;
    for (const next of Object.keys(asMapping(asMapping(services[name])["depends_on"]))) {
      if (has(services, next)) visit(next, [...chain, name]);
    }
    done.add(name);
  };
  for (const name of Object.keys(services)) visit(name, []);
}
