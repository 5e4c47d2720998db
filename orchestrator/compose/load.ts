import { homedir } from "node:os";
import { basename } from "node:path";
import { type Diagnostic, type DiagnosticPlace, Diagnostics } from "../../core/diagnostics.ts";
import { checkConsistency } from "./consistency.ts";
import { applyDefaults } from "./defaults.ts";
import type { ComposeDocument } from "./documents.ts";
import { type Environment, ownValue, readServiceFiles, resolveBuildArguments } from "./environment.ts";
import { failOnErrors, type Loading, mergeAll, readAll, reporter } from "./group.ts";
import { interpolate } from "./interpolate.ts";
import { type LoadOptions, locate, shownPath } from "./locate.ts";
import type { ComposeProject } from "./model.ts";
import { toProject } from "./normalize.ts";
import { placeInMerged } from "./places.ts";
import { withProfiles } from "./profiles.ts";
import { normalizeProjectName, requireProjectName } from "./project-name.ts";
import { asMapping, scalarText, type YamlMapping, type YamlPath } from "./values.ts";

export type { LoadOptions } from "./locate.ts";

/** Where a project came from, as docker compose writes it into the labels of its containers. */
export interface ProjectSource {
  /** Absolute; relative paths of the files start here. */
  readonly projectDirectory: string;
  /** Absolute, in the order they were merged; `-` for standard input. */
  readonly files: readonly string[];
  /** Absolute. */
  readonly envFiles: readonly string[];
  readonly profiles: readonly string[];
}

export interface LoadedProject {
  readonly project: ComposeProject;
  /** Warnings only; errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
  readonly source: ProjectSource;
  /** Where a value of the project stands in its files, as `["services", "web", "labels", "autoscale.max"]`. */
  readonly placeOf: (path: YamlPath) => DiagnosticPlace;
}

/**
 * Loads a project as `docker compose config` does. Throws a FlyballError that lists every problem found: COMPOSE_INVALID,
 * COMPOSE_NOT_FOUND when there is no file, COMPOSE_TOO_LARGE when a file or what it expands to is too large.
 */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const diagnostics = new Diagnostics();
  const { files, envFiles, profiles, projectDirectory, environment } = await locate(options, diagnostics);
  const loading: Loading = {
    diagnostics,
    shown: (path) => shownPath(path, options),
    stdin: options.stdin ?? process.stdin,
    home: ownValue(environment, "HOME") ?? homedir(),
    places: [],
  };
  const documents = await readAll(files, loading);
  failOnErrors(diagnostics);
  const name = projectName(documents, options, environment, projectDirectory);
  const known = { ...environment, COMPOSE_PROJECT_NAME: name };

  const base = { directory: projectDirectory, home: loading.home };
  const merged = await mergeAll(documents, { base, environment: known, chain: files }, loading);
  if (Object.keys(merged).length === 0) {
    diagnostics.error(
      { path: "", file: files.map(loading.shown).join(", ") },
      "expected services, got an empty file",
    );
  }
  failOnErrors(diagnostics);

  const report = reporter(loading);
  const complete = applyDefaults(merged, name);
  const enabled = withProfiles(complete, profiles);
  checkConsistency(complete, asMapping(enabled["services"]), report);
  failOnErrors(diagnostics);

  const services: YamlMapping = {};
  const context = { environment: known, diagnostics, shown: loading.shown };
  for (const [service, value] of Object.entries(asMapping(enabled["services"]))) {
    const built = resolveBuildArguments(asMapping(value), known);
    services[service] = syncReplicas(
      await readServiceFiles(built, context, (key) =>
        placeInMerged(loading.places, ["services", service, key]),
      ),
    );
  }
  failOnErrors(diagnostics);
  return {
    project: toProject({ ...enabled, services }),
    diagnostics: diagnostics.all,
    source: { projectDirectory, files, envFiles, profiles },
    placeOf: (path) => placeInMerged(loading.places, path),
  };
}

/** From `-p`, COMPOSE_PROJECT_NAME, the last top-level `name`, or the directory, in this order. */
function projectName(
  documents: readonly ComposeDocument[],
  options: LoadOptions,
  environment: Environment,
  projectDirectory: string,
): string {
  const chosen = options.projectName || ownValue(environment, "COMPOSE_PROJECT_NAME");
  if (chosen !== undefined && chosen !== "") return requireProjectName(chosen);
  const names = documents.map(({ value }) => scalarText(value["name"] ?? null)).filter((name) => name !== "");
  const written = interpolate(names.at(-1) ?? "", (name) => ownValue(environment, name)).text;
  const name = normalizeProjectName(names.length > 0 ? written : basename(projectDirectory));
  return requireProjectName(name);
}

/** Where only `scale` is written beside a `deploy`, the replicas are the same. */
function syncReplicas(service: YamlMapping): YamlMapping {
  const scale = service["scale"];
  const deploy = service["deploy"];
  if (scale === undefined || deploy === undefined || deploy === null) return service;
  return { ...service, deploy: { ...asMapping(deploy), replicas: scale } };
}
