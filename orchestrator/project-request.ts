import type { Diagnostic } from "../core/diagnostics.ts";
import type { LabelSettings } from "../core/labels.ts";
import type { Project } from "../core/types.ts";
import { loadProject } from "./compose/load.ts";
import type { ComposeProject } from "./compose/model.ts";
import { projectOf } from "./compose/services.ts";
import { readableModel } from "./printed-model.ts";

/**
 * Reads a normalized compose model that came from outside, as `docker compose config --format json` prints it, with
 * the same checks as a file: a client's word is no better than a file's.
 * @throws FlyballError COMPOSE_INVALID
 */
export async function readProjectRequest(
  name: string,
  request: {
    readonly compose: Readonly<Record<string, unknown>>;
    readonly workingDirectory: string;
    readonly composeFiles: readonly string[];
  },
  settings?: LabelSettings,
): Promise<{ project: Project; diagnostics: readonly Diagnostic[] }> {
  const loaded = await loadProject({
    files: ["-"],
    stdin: asStream(JSON.stringify(readableModel(request.compose))),
    projectName: name,
    projectDirectory: request.workingDirectory,
    workingDirectory: request.workingDirectory,
    // The model holds the services that run, whatever profiles they were chosen by.
    profiles: ["*"],
    environment: {},
  });
  const { project, diagnostics } = projectOf(loaded.project, request, settings);
  return { project, diagnostics: [...loaded.diagnostics, ...diagnostics] };
}

/** The model as it is sent: a dollar stands for itself again after the receiver has interpolated. */
export function toRequestModel(compose: ComposeProject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(compose).map(([key, value]) => [key, escapeDollars(value)]));
}

function escapeDollars(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(escapeDollars);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, escapeDollars(entry)]));
}

async function* asStream(text: string): AsyncIterable<string> {
  yield text;
}
