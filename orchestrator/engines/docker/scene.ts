import { messageOf } from "../../../core/errors.ts";
import type { ReplicaId } from "../../../core/types.ts";
import type { EngineScene, LogBounds } from "../../engine.ts";
import { inspectContainer, readLogs } from "./api.ts";
import type { DockerConnection } from "./connect.ts";
import { logText } from "./logs.ts";
import { endedAt, instantOf } from "./replica.ts";
import type { InspectedContainer } from "./wire.ts";

/** What the engine can still tell of a container that failed. */
export async function sceneOf(
  connection: DockerConnection,
  replica: ReplicaId,
  bounds: LogBounds,
  signal: AbortSignal,
): Promise<EngineScene> {
  const [inspected, written] = await Promise.allSettled([
    inspectContainer(connection, replica, { signal }),
    readLogs(connection, replica, bounds.lines, { signal }),
  ]);
  const missing = [
    ...(inspected.status === "rejected" ? [`inspect: ${messageOf(inspected.reason)}`] : []),
    ...(written.status === "rejected" ? [`log: ${messageOf(written.reason)}`] : []),
  ];
  const container = inspected.status === "fulfilled" ? inspected.value : undefined;
  return {
    ...(container === undefined ? {} : { ...endOf(container), inspect: container }),
    ...(written.status === "rejected" ? {} : { log: logText(written.value, container?.Config.Tty === true) }),
    missing,
  };
}

function endOf({ State }: InspectedContainer): Omit<EngineScene, "log" | "inspect" | "missing"> {
  const startedAtMs = instantOf(State.StartedAt);
  const started = startedAtMs === undefined ? {} : { startedAtMs };
  // Of one that runs, the engine shows a status of 0.
  if (State.Pid !== undefined && State.Pid !== 0) return started;
  return {
    ...started,
    ...endedAt(State),
    ...(State.ExitCode === undefined ? {} : { exitCode: State.ExitCode }),
    ...(State.OOMKilled === undefined ? {} : { oomKilled: State.OOMKilled }),
  };
}
