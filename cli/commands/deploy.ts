import type { TrialAsked } from "../../core/wire-rollouts.ts";
import { connect } from "../connection.ts";
import { addComposeOptions, type ComposeFlags, type GlobalFlags } from "../options.ts";
import { noteNewDiagnostics, readProject } from "../project.ts";
import { renderProjectAnswer } from "../render.ts";
import { resolveService } from "../service-name.ts";
import { readCanaryShare, readShare, readShares, readStepTime } from "../trial-arguments.ts";
import type { AddCommand } from "./command.ts";
import { renderRollout } from "./rollouts.ts";

interface DeployFlags extends GlobalFlags, ComposeFlags {
  readonly canary?: number | true;
  readonly blueGreen?: true;
  readonly steps?: readonly number[];
  readonly stepTime?: number;
}

/** `flyball deploy`, `promote` and `abort`. */
export const addDeploy: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const deploy = program
    .command("deploy")
    .description("give the compose files to the daemon; what changes may be tried beside what runs");
  addComposeOptions(deploy)
    .option(
      "--canary [share]",
      "some replicas are new, and get that share of the requests, as 20%",
      readCanaryShare,
    )
    .option("--blue-green", "a full second set beside the first, without requests until promote --weight")
    .option(
      "--steps <shares>",
      "shares that it goes through by itself while all is well, as 5%,20%,50%",
      readShares,
    )
    .option("--step-time <duration>", "how long each share is watched (default: 1m)", readStepTime)
    .action(async () => {
      const flags = deploy.optsWithGlobals<DeployFlags>();
      if (flags.canary !== undefined && flags.blueGreen)
        deploy.error("error: --canary and --blue-green exclude each other");
      if (flags.stepTime !== undefined && flags.steps === undefined)
        deploy.error("error: --step-time needs --steps");
      const trial = trialOf(flags);
      const project = await readProject(flags, await loadDaemonCode(), terminal);
      const { client } = connect(flags, terminal);
      const request = { ...project.request, ...(trial === undefined ? {} : { trial }) };
      const answer = await client.applyProject(project.name, request);
      noteNewDiagnostics(answer, project, terminal);
      terminal.print(renderProjectAnswer(answer, true, terminal));
    });

  const promote = program
    .command("promote")
    .description("what is on trial replaces what was before; with --weight the trial goes on")
    .argument("<service>", "its name, or project_service")
    .option("--weight <share>", "the share of the requests that it gets from now on, as 80%", readShare)
    .action(async (service: string) => {
      const { weight, ...flags } = promote.optsWithGlobals<GlobalFlags & { weight?: number }>();
      const { client } = connect(flags, terminal);
      const id = resolveService(service, await client.services());
      const change = { do: "promote", ...(weight === undefined ? {} : { weightRatio: weight }) } as const;
      terminal.print(renderRollout(await client.changeTrial(id, change)));
    });

  const abort = program
    .command("abort")
    .description("what is on trial goes, and what was before stays; the count stays")
    .argument("<service>", "its name, or project_service")
    .action(async (service: string) => {
      const { client } = connect(abort.optsWithGlobals<GlobalFlags>(), terminal);
      const id = resolveService(service, await client.services());
      terminal.print(renderRollout(await client.changeTrial(id, { do: "abort" })));
    });
};

function trialOf({ canary, blueGreen, steps, stepTime }: DeployFlags): TrialAsked | undefined {
  // Steps alone are those of a canary.
  if (canary === undefined && steps === undefined && !blueGreen) return undefined;
  return {
    kind: blueGreen ? "blue-green" : "canary",
    ...(typeof canary === "number" ? { weightRatio: canary } : {}),
    ...(steps === undefined ? {} : { stepRatios: [...steps] }),
    ...(stepTime === undefined ? {} : { stepMs: stepTime }),
  };
}
