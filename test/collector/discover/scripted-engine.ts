import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent, InspectedContainer } from "../../../collector/discover/engine-answers.ts";

/** An engine's API on a socket, for situations that a real engine cannot be brought into. */
export interface ScriptedEngine extends AsyncDisposable {
  readonly socketPath: string;
  readonly containers: Map<string, InspectedContainer>;
  /** Requests so far, by path; the ids of containers left out. */
  readonly asked: string[];
  /** The most inspections that were open at one time. */
  readonly mostAtOnce: number;
  /** Before each answer. */
  delayMs: number;
  /** Answers 500 to inspections. */
  refuses: boolean;
  emit(action: string, id: string): void;
  /** Ends every connection, and with `listen: false` takes no new one. */
  breakOff(options: { listen: boolean }): Promise<void>;
  comeBack(): Promise<void>;
}

export function runningContainer(id: string, pid = 4_242): InspectedContainer {
  return {
    Id: id,
    Name: `/${id}`,
    RestartCount: 0,
    State: { Running: true, Pid: pid, StartedAt: "2026-01-01T00:00:00Z" },
    Config: { Image: "shop/web", Labels: {} },
    HostConfig: { NetworkMode: "none" },
  };
}

export async function startScriptedEngine(): Promise<ScriptedEngine> {
  const directory = mkdtempSync(join(tmpdir(), "flyball-engine-"));
  const socketPath = join(directory, "engine.sock");
  const streams = new Set<ServerResponse>();
  const containers = new Map<string, InspectedContainer>();
  let open = 0;
  let timeNano = 1_800_000_000_000_000_000;
  const past: EngineEvent[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? "/", "http://engine");
      const id = /^\/containers\/(.+)\/json$/u.exec(url.pathname)?.[1];
      engine.asked.push(id === undefined ? url.pathname : "/containers/ID/json");
      if (id !== undefined) open += 1;
      state.mostAtOnce = Math.max(state.mostAtOnce, open);
      // What an answer says was true when it was asked for.
      const inspected = containers.get(decodeURIComponent(id ?? ""));
      const listed = [...containers.values()].map(({ Id }) => ({ Id, State: "running" }));
      if (engine.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, engine.delayMs).unref());
      if (id !== undefined) open -= 1;
      if (url.pathname === "/events") {
        response.flushHeaders();
        streams.add(response);
        const since = Number(url.searchParams.get("since") ?? Number.POSITIVE_INFINITY);
        for (const event of past) {
          if ((event.timeNano ?? 0) / 1e9 >= since) response.write(`${JSON.stringify(event)}\n`);
        }
        response.on("close", () => streams.delete(response));
      } else if (id === undefined) response.end(JSON.stringify(listed));
      else if (engine.refuses) response.writeHead(500).end('{"message":"driver failed"}');
      else if (inspected === undefined) response.writeHead(404).end("{}");
      else response.end(JSON.stringify(inspected));
    })();
  });
  const listen = async (): Promise<void> => {
    server.listen(socketPath);
    await once(server, "listening");
  };
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  const state = { mostAtOnce: 0 };
  const engine: ScriptedEngine = {
    socketPath,
    containers,
    asked: [],
    get mostAtOnce() {
      return state.mostAtOnce;
    },
    delayMs: 0,
    refuses: false,
    emit(action, id) {
      timeNano += 1_000_000;
      const event: EngineEvent = { Type: "container", Action: action, Actor: { ID: id }, timeNano };
      past.push(event);
      for (const stream of streams) stream.write(`${JSON.stringify(event)}\n`);
    },
    async breakOff({ listen: stays }) {
      await close();
      if (stays) await listen();
    },
    comeBack: listen,
    async [Symbol.asyncDispose]() {
      await close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await listen();
  return engine;
}
