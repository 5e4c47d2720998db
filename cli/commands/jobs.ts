import { setTimeout as sleep } from "node:timers/promises";
import { FlyballError } from "../../core/errors.ts";
import type { RunAnswer } from "../../core/wire-jobs.ts";
import type { Client } from "../client.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderJobs, renderRuns, runSentence } from "../render-jobs.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

interface RunFlags extends GlobalFlags, JsonFlag {
  readonly wait?: true;
}

interface RunsFlags extends GlobalFlags, JsonFlag {
  readonly limit: string;
}

const WAIT_PAUSE_MS = 500;
const RUNS_SHOWN = 20;

/** `flyball jobs` and `flyball run`. */
export const addJobs: AddCommand = (program, { terminal }) => {
  const list = program
    .command("jobs")
    .description("show the jobs, when they are due and how they went; of one job, its runs")
    .argument("[service]", "its name, or project_service")
    .option("--limit <runs>", "so many of its runs", String(RUNS_SHOWN));
  addJsonOption(list).action(async (service: string | undefined) => {
    const flags = list.optsWithGlobals<RunsFlags>();
    const { client } = connect(flags, terminal);
    const jobs = await client.jobs();
    if (service === undefined) {
      terminal.print(flags.json ? JSON.stringify(jobs, null, 2) : renderJobs(jobs, terminal));
      return;
    }
    const runs = await client.jobRuns(await resolveJob(service, client), flags.limit);
    terminal.print(flags.json ? JSON.stringify(runs, null, 2) : renderRuns(runs, terminal));
  });

  const run = program
    .command("run")
    .description("run a job now")
    .argument("<service>", "its name, or project_service")
    .option("--wait", "until the run is over; fails when the run does");
  addJsonOption(run).action(async (service: string) => {
    const flags = run.optsWithGlobals<RunFlags>();
    const { client } = connect(flags, terminal);
    const id = await resolveJob(service, client);
    const begun = await client.runJob(id);
    const shown = flags.wait === true ? await endOf(begun, client) : begun;
    terminal.print(flags.json ? JSON.stringify(shown, null, 2) : runSentence(shown));
    if (flags.wait === true && shown.state !== "succeeded") {
      throw new FlyballError(
        "JOB_FAILED",
        `${shown.id} ${shown.state}: flyball logs ${service} shows what it wrote`,
      );
    }
  });
};

async function resolveJob(word: string, client: Client): Promise<string> {
  const jobs = await client.jobs();
  return resolveService(
    word,
    jobs.map(({ service, name }) => ({ id: service, name })),
  );
}

async function endOf(begun: RunAnswer, client: Client): Promise<RunAnswer> {
  for (;;) {
    const run = (await client.jobRuns(begun.service, "100")).find(({ id }) => id === begun.id);
    if (run === undefined) throw new FlyballError("NOT_FOUND", `the run ${begun.id} is no longer known`);
    if (run.endedAtMs !== undefined) return run;
    await sleep(WAIT_PAUSE_MS);
  }
}
