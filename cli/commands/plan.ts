import { createLog } from "../../core/log.ts";
import { isReachable } from "../client.ts";
import { connect } from "../connection.ts";
import {
  addComposeOptions,
  addDaemonOptions,
  addJsonOption,
  type ComposeFlags,
  type DaemonFlags,
  type GlobalFlags,
  type JsonFlag,
} from "../options.ts";
import { noteNewDiagnostics, readProject } from "../project.ts";
import { renderProjectAnswer } from "../render.ts";
import { renderVerdicts, verdictsOn, verdictsWithoutDaemon } from "../verdict.ts";
import type { AddCommand } from "./command.ts";

type PlanFlags = GlobalFlags & DaemonFlags & ComposeFlags & JsonFlag;

export const addPlan: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const command = program
    .command("plan")
    .description("print what flyball up would do with the compose files, and do nothing");
  addComposeOptions(command);
  addDaemonOptions(command);
  addJsonOption(command).action(async () => {
    const flags = command.optsWithGlobals<PlanFlags>();
    const { client, config, addressGiven } = connect(flags, terminal);
    const code = await loadDaemonCode();
    const project = await readProject(flags, code, terminal);
    const { name, request } = project;
    const askDaemon = addressGiven || (await isReachable(client));
    const answer = askDaemon
      ? await client.planProject(name, request)
      : await code.planWithoutDaemon({ config, log: createLog(config.logLevel), name, request });
    const { scalingChanges = [] } = answer;
    const verdicts = askDaemon
      ? await verdictsOn(scalingChanges, client, code, terminal.nowMs())
      : verdictsWithoutDaemon(scalingChanges);
    noteNewDiagnostics(answer, project, terminal);
    if (flags.json) terminal.print(JSON.stringify({ ...answer, verdicts }, null, 2));
    else
      terminal.print([renderProjectAnswer(answer, false, terminal), ...renderVerdicts(verdicts)].join("\n"));
  });
};
