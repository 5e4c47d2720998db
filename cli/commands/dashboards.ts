import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FlyballError, messageOf } from "../../core/errors.ts";
import type { AddCommand } from "./command.ts";

const SHIPPED = fileURLToPath(new URL("../../dashboards/", import.meta.url));
const DEFAULT_FOLDER = "flyball-dashboards";

/** Folders that are given away, and what is in them. */
const FOLDERS = {
  grafana: "boards, to be imported or provisioned",
  provisioning: "how Grafana finds the boards and Prometheus by itself",
  rules: "recording and alert rules of Prometheus",
} as const;

/** `dashboards`: what Grafana and Prometheus can use of Flyball, as files. */
export const addDashboards: AddCommand = (program, { terminal }) => {
  program
    .command("dashboards")
    .description("write the Grafana boards, their provisioning and the Prometheus rules")
    .option("--output <folder>", "where to", DEFAULT_FOLDER)
    .action(({ output }: { readonly output: string }) => {
      const folder = resolve(terminal.workingDirectory, output);
      for (const [name, meaning] of Object.entries(FOLDERS)) {
        copy(join(SHIPPED, name), join(folder, name));
        terminal.print(`${join(output, name)}: ${meaning}`);
      }
    });
};

function copy(from: string, to: string): void {
  try {
    cpSync(from, to, { recursive: true });
  } catch (error) {
    throw new FlyballError("CONFIG_INVALID", `${to} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
