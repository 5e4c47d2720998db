import { type Config, loadConfig } from "../../core/config.ts";
import { SECOND_MS } from "../../core/units.ts";
import { readInterval } from "../arguments.ts";
import type { GlobalFlags } from "../options.ts";
import type { AddCommand } from "./command.ts";

interface AgentFlags extends GlobalFlags {
  readonly metrics?: string;
  readonly interval: number;
  readonly dockerHost?: string;
}

/** Nobody else sees them unless a person says so. */
const DEFAULT_LISTEN: Config["listen"] = { host: "127.0.0.1", port: 9417 };

export const addAgent: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const command = program
    .command("agent")
    .description("collect and offer the metrics of this machine and its containers, without a daemon")
    .option(
      "--metrics <address>",
      "where to offer them: host:port, or :port on every address (default: metricsListen, else 127.0.0.1:9417)",
    )
    .option("--interval <duration>", "from one reading to the next", readInterval, SECOND_MS)
    .option("--docker-host <host>", "the engine, as DOCKER_HOST (default: Docker's or Podman's socket)");
  command.action(async () => {
    const flags = command.optsWithGlobals<AgentFlags>();
    const settings = { metricsListen: flags.metrics, dockerHost: flags.dockerHost };
    const config = loadConfig(settings, terminal.environment, flags.config);
    const code = await loadDaemonCode();
    code.startAgent({ config, intervalMs: flags.interval, listen: config.metricsListen ?? DEFAULT_LISTEN });
  });
};
