import { type Diagnostic, formatDiagnostic } from "../core/diagnostics.ts";
import type { ProjectAnswer } from "../core/wire.ts";
import type { DaemonCode, ReadProject } from "./daemon-door.ts";
import type { ComposeFlags } from "./options.ts";
import { printable, type Terminal } from "./terminal.ts";

/** Reads the compose files and notes every diagnostic with its place. @throws FlyballError COMPOSE_… */
export async function readProject(
  flags: ComposeFlags,
  code: DaemonCode,
  terminal: Terminal,
): Promise<ReadProject> {
  const project = await code.readCompose({
    environment: terminal.environment,
    workingDirectory: terminal.workingDirectory,
    ...(flags.file === undefined ? {} : { files: flags.file }),
    ...(flags.projectName === undefined ? {} : { projectName: flags.projectName }),
    ...(flags.projectDirectory === undefined ? {} : { projectDirectory: flags.projectDirectory }),
    ...(flags.envFile === undefined ? {} : { envFiles: flags.envFile }),
    ...(flags.profile === undefined ? {} : { profiles: flags.profile }),
  });
  noteDiagnostics(project.diagnostics, terminal);
  return project;
}

/** Notes what the daemon found in a project and reading its files had not. */
export function noteNewDiagnostics(answer: ProjectAnswer, project: ReadProject, terminal: Terminal): void {
  const noted = new Set(project.diagnostics.map((diagnostic) => diagnostic.path + diagnostic.message));
  noteDiagnostics(
    answer.diagnostics.filter((diagnostic) => !noted.has(diagnostic.path + diagnostic.message)),
    terminal,
  );
}

type WireDiagnostic = ProjectAnswer["diagnostics"][number];

function noteDiagnostics(diagnostics: readonly (Diagnostic | WireDiagnostic)[], terminal: Terminal): void {
  for (const { file, line, column, ...diagnostic } of diagnostics) {
    const text = formatDiagnostic({
      ...diagnostic,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    });
    terminal.note(printable(text));
  }
}
