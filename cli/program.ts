import { readFileSync } from "node:fs";
import { Command } from "commander";
import { z } from "zod";
import { addAgent } from "./commands/agent.ts";
import { addAlerts } from "./commands/alerts.ts";
import { addAudit } from "./commands/audit.ts";
import { addAutoscaleModes } from "./commands/autoscale.ts";
import { addBacktest } from "./commands/backtest.ts";
import type { CommandContext } from "./commands/command.ts";
import { addDashboards } from "./commands/dashboards.ts";
import { addDecisions } from "./commands/decisions.ts";
import { addDeploy } from "./commands/deploy.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDown } from "./commands/down.ts";
import { addExplain } from "./commands/explain.ts";
import { addGc } from "./commands/gc.ts";
import { addJobs } from "./commands/jobs.ts";
import { addLogs } from "./commands/logs.ts";
import { addOverride } from "./commands/override.ts";
import { addPlan } from "./commands/plan.ts";
import { addPs } from "./commands/ps.ts";
import { addRender } from "./commands/render.ts";
import { addRollouts } from "./commands/rollouts.ts";
import { addScale } from "./commands/scale.ts";
import { addServe } from "./commands/serve.ts";
import { addToken } from "./commands/token.ts";
import { addUp } from "./commands/up.ts";
import { addGlobalOptions } from "./options.ts";

const COMMANDS = [
  addUp,
  addDown,
  addPs,
  addScale,
  addPlan,
  addExplain,
  addDecisions,
  addRollouts,
  addDeploy,
  addJobs,
  addLogs,
  addAudit,
  addAlerts,
  addOverride,
  addAutoscaleModes,
  addBacktest,
  addDoctor,
  addGc,
  addRender,
  addDashboards,
  addToken,
  addServe,
  addAgent,
];

/** The `flyball` command. Throws commander's errors in place of ending the process. */
export function createProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command("flyball")
    .description("Monitoring and autoscaling for Docker and compose files")
    .version(version())
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .showHelpAfterError("(flyball --help shows the commands and options)");
  addGlobalOptions(program);
  for (const add of COMMANDS) add(program, context);
  return program;
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
