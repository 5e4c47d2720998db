import { join } from "node:path";
import { Alerts } from "./alerts/alerts.ts";
import { startApi } from "./api/server.ts";
import { type AgentOptions, agentSettings } from "./collector/from-config.ts";
import { becomeAgent } from "./collector/launch.ts";
import { systemClock } from "./core/clock.ts";
import type { Config } from "./core/config.ts";
import type { Diagnostic } from "./core/diagnostics.ts";
import type { Log } from "./core/log.ts";
import { keepHeapSmall } from "./core/small-heap.ts";
import { Store } from "./core/store.ts";
import type { ProjectAnswer, ProjectRequest } from "./core/wire.ts";
import { Alerting } from "./daemon/alerting.ts";
import { Answers } from "./daemon/answers.ts";
import { Broadcast } from "./daemon/broadcast.ts";
import { composeRoom } from "./daemon/compose-room.ts";
import { ControlLoop } from "./daemon/loop.ts";
import type { LoadOptions } from "./orchestrator/compose/load.ts";
import type { FilesToDiagnose } from "./orchestrator/doctor/files.ts";
import { openEngine } from "./orchestrator/open-engine.ts";
import type { Backtest, BacktestRequest } from "./scaler/backtest/run.ts";

/** Written by `npm run console`, and by `npm install`. */
const CONSOLE = join(import.meta.dirname, "dashboards/console/dist");

export interface RunningDaemon extends AsyncDisposable {
  readonly address: Config["listen"];
}

/**
 * Builds every room from the config and starts them in order; disposing stops them in the reverse order and leaves
 * the replicas running. What was started is stopped again when a later room cannot start.
 */
export async function startDaemon(options: { config: Config; log: Log }): Promise<RunningDaemon> {
  const { config, log } = options;
  keepHeapSmall();
  await using started = new AsyncDisposableStack();
  const store = started.use(new Store(config.dataDirectory));
  const engine = started.use(await openEngine(config, store, log));
  const broadcast = new Broadcast();
  started.use(broadcast.hub);
  let alerting: Alerting | undefined;
  const onLooked = () => alerting?.look();
  const loop = started.use(new ControlLoop({ store, engine, log, config, broadcast, onLooked }));
  await loop.start(config);
  alerting = started.use(await Alerting.start({ store, loop, broadcast, config, log }));
  const api = started.use(
    await startApi({
      control: new Answers({ loop, alerts: alerting.alerts, store, config, log }),
      stream: broadcast.hub,
      listen: config.listen,
      consoleDirectory: CONSOLE,
      log,
      ...(config.token === undefined ? {} : { token: config.token }),
    }),
  );
  log.info({ engine: engine.description, dataDirectory: config.dataDirectory }, "flyball serves");

  const running = started.move();
  return { address: api.address, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The compose files as a project that a daemon can be given. @throws FlyballError COMPOSE_… */
export async function readCompose(
  options: LoadOptions,
): Promise<{ name: string; request: ProjectRequest; diagnostics: readonly Diagnostic[] }> {
  const { loadProject, toRequestModel } = await composeRoom();
  const { project, source, diagnostics } = await loadProject(options);
  const request = {
    compose: toRequestModel(project),
    workingDirectory: source.projectDirectory,
    composeFiles: [...source.files],
  };
  return { name: project.name, request, diagnostics };
}

/** What `applyProject` would do, without a daemon: the engine is looked at, and nothing is changed. */
export async function planWithoutDaemon(options: {
  config: Config;
  log: Log;
  name: string;
  request: ProjectRequest;
}): Promise<ProjectAnswer> {
  const { config, log, name, request } = options;
  await using opened = new AsyncDisposableStack();
  const store = opened.use(new Store(config.dataDirectory));
  const engine = opened.use(await openEngine(config, store, log));
  const loop = opened.use(new ControlLoop({ store, engine, log, config }));
  const unheard = { store, log, clock: systemClock, address: "", onNotification: () => {} };
  const alerts = new Alerts(unheard, []);
  return await new Answers({ loop, alerts, store, config, log }).planProject(name, request);
}

/** Loaded when it is asked for: a daemon never needs it. @throws FlyballError COMPOSE_INVALID */
export async function diagnoseFiles(files: FilesToDiagnose) {
  return (await import("./orchestrator/doctor/files.ts")).diagnoseFiles(files);
}

/** This process goes on as the collector alone, on the engine that the settings name, else on any of this machine. */
export function startAgent(options: AgentOptions): void {
  becomeAgent(agentSettings(options, process.env["XDG_RUNTIME_DIR"]), options.config.dataDirectory);
}

/** Loaded when it is asked for: a daemon never needs it. @throws FlyballError CONFIG_INVALID, LABEL_INVALID */
export async function runBacktest(request: BacktestRequest): Promise<Backtest> {
  const { backtest } = await import("./scaler/backtest/run.ts");
  return backtest(request);
}
