import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../core/diagnostics.ts";
import type { Project, Service } from "../../../core/types.ts";
import { projectOf } from "../../../orchestrator/compose/services.ts";
import { loadText } from "./inline.ts";

export interface Translated {
  readonly project: Project;
  readonly web: Service;
  readonly diagnostics: readonly string[];
}

export async function translate(text: string): Promise<Translated> {
  const { project: compose } = await loadText(text);
  const { project, diagnostics } = projectOf(compose, {
    workingDirectory: "/srv/p",
    composeFiles: ["/srv/p/c.yaml"],
  });
  const web = project.services.find(({ name }) => name === "web");
  assert.ok(web !== undefined);
  return { project, web, diagnostics: diagnostics.map(formatDiagnostic) };
}

/** A project of one service `web`; `lines` stand below it, `rest` at the top level. */
export function web(lines: string, rest = ""): Promise<Translated> {
  const indented = lines
    .trim()
    .split("\n")
    .map((line) => `    ${line}`);
  return translate(`services:\n  web:\n    image: shop/web:1\n${indented.join("\n")}\n${rest}`);
}
