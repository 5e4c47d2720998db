import { createLog } from "../../core/log.ts";
import { isReachable } from "../client.ts";
import { connect } from "../connection.ts";
import {
  addComposeOptions,
  addJsonOption,
  type ComposeFlags,
  type GlobalFlags,
  type JsonFlag,
} from "../options.ts";
import { readProject } from "../project.ts";
import { renderDoctor } from "../render-care.ts";
import type { AddCommand } from "./command.ts";

type DoctorFlags = GlobalFlags & ComposeFlags & JsonFlag;

export const addDoctor: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const command = program
    .command("doctor")
    .description("tell which services can scale, what to change where they cannot, and what was left behind")
    .argument(
      "[project]",
      "one that the daemon has; with -f, or where no daemon answers, the files are read",
    );
  addComposeOptions(command);
  addJsonOption(command).action(async (word: string | undefined) => {
    const flags = command.optsWithGlobals<DoctorFlags>();
    const { client, config, addressGiven } = connect(flags, terminal);
    const askDaemon = flags.file === undefined && (addressGiven || (await isReachable(client)));
    const diagnoseFiles = async () => {
      const code = await loadDaemonCode();
      const named = word === undefined ? {} : { projectName: word };
      const { name, request } = await readProject({ ...flags, ...named }, code, terminal);
      return code.diagnoseFiles({ config, log: createLog(config.logLevel), name, request });
    };
    const answer = askDaemon ? await client.doctor(word ?? flags.projectName) : await diagnoseFiles();
    terminal.print(flags.json ? JSON.stringify(answer, null, 2) : renderDoctor(answer, terminal));
  });
};
