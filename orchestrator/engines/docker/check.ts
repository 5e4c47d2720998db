import { existsSync } from "node:fs";
import { type Diagnostic, Diagnostics } from "../../../core/diagnostics.ts";
import type { Project, Service } from "../../../core/types.ts";

/**
 * What Docker will not do of what the project asks.
 * @param seesHost whether this machine's files are the engine's
 */
export function checkProject(project: Project, seesHost: boolean): readonly Diagnostic[] {
  const diagnostics = new Diagnostics();
  for (const service of project.services) {
    checkImage(diagnostics, service);
    checkReservation(diagnostics, service);
    checkSeccomp(diagnostics, service);
    checkNetworkMode(diagnostics, project, service);
    if (seesHost) checkBinds(diagnostics, service);
  }
  return diagnostics.all;
}

function checkImage(diagnostics: Diagnostics, { name, template }: Service): void {
  if (template.image !== undefined) return;
  diagnostics.error(
    { path: `services.${name}.image` },
    "needs image: with the Docker engine; it runs images and does not build them (`docker compose build` does)",
  );
}

function checkReservation(diagnostics: Diagnostics, { name, template }: Service): void {
  if (template.resources.reservedCores === undefined) return;
  diagnostics.warning(
    { path: `services.${name}.deploy.resources.reservations.cpus` },
    "a single Docker engine keeps no CPU for a container; the value only serves as the base of CPU percentages",
  );
}

/** The API takes a profile's text, and the file's path would be read as that. */
function checkSeccomp(diagnostics: Diagnostics, { name, template }: Service): void {
  const profile = template.container.securityOpt?.find((option) =>
    /^seccomp[=:](?!unconfined$|builtin$|\s*\{)/u.test(option),
  );
  if (profile === undefined) return;
  diagnostics.error(
    { path: `services.${name}.security_opt` },
    `expected seccomp=unconfined, seccomp=builtin or a profile as JSON text, got the file ${JSON.stringify(profile)}`,
  );
}

function checkNetworkMode(diagnostics: Diagnostics, project: Project, { name, template }: Service): void {
  for (const [key, mode] of [
    ["network_mode", template.networkMode],
    ["pid", template.container.pidMode],
    ["ipc", template.container.ipcMode],
  ] as const) {
    const target = mode?.startsWith("service:") === true ? mode.slice("service:".length) : undefined;
    if (target === undefined || project.services.some((service) => service.name === target)) continue;
    diagnostics.error(
      { path: `services.${name}.${key}` },
      `expected a service of this project, got ${JSON.stringify(target)}`,
    );
  }
}

/** Docker makes the missing source of compose's short form, and refuses to start the container of the long one. */
function checkBinds(diagnostics: Diagnostics, { name, template }: Service): void {
  for (const { type, source, createHostPath } of template.mounts) {
    if (type !== "bind" || source === undefined || createHostPath === true || existsSync(source)) continue;
    diagnostics.error(
      { path: `services.${name}.volumes` },
      `expected an existing path to mount, got ${source}`,
    );
  }
}
