import type { Diagnostic } from "../core/diagnostics.ts";
import type { Plan, Project } from "../core/types.ts";
import type { ProjectAnswer } from "../core/wire.ts";
import { describeAction, describeHold } from "./describe.ts";

/** What was found in a project, and the plan of it, for a person. */
export function projectAnswer(
  project: Project,
  diagnostics: readonly Diagnostic[],
  plan: Plan,
): ProjectAnswer {
  return {
    project: project.name,
    services: project.services.map(({ id }) => id),
    diagnostics: [...diagnostics],
    ...planLines(plan),
  };
}

export function planLines(plan: Plan): Pick<ProjectAnswer, "plan" | "holds"> {
  return {
    plan: plan.actions.map((action) => ({ action: describeAction(action), cause: action.cause })),
    holds: plan.holds.map(describeHold),
  };
}
