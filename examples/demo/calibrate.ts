import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import { z } from "zod";
import { STEP_FACTOR } from "./phases.ts";

/** Of one replica's CPU limit. Three times as much is above what one replica has, and no more than three calm ones. */
const CALM_RATIO = 0.45;
const WARM_UP_REQUESTS = 20;
const COUNTED_REQUESTS = 100;

export interface Calibration {
  /** What one request costs here, HTTP included. */
  readonly cpuMsPerRequest: number;
  /** Of one replica. */
  readonly limitCores: number;
  readonly calmPerSecond: number;
  readonly stepPerSecond: number;
}

/** The rates at which one replica is calm, and is not. */
export function ratesFor(cpuMsPerRequest: number, limitCores: number): Calibration {
  const calmPerSecond = (CALM_RATIO * limitCores * 1_000) / cpuMsPerRequest;
  return { cpuMsPerRequest, limitCores, calmPerSecond, stepPerSecond: STEP_FACTOR * calmPerSecond };
}

/** Measures what a request costs on this machine, by a replica of its own that nothing holds back. */
export async function calibrate(serverFile: string, limitCores: number): Promise<Calibration> {
  const server = spawn(process.execPath, [serverFile], {
    cwd: dirname(serverFile),
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const port = await portOf(server.stdout);
    const before = await cpuMsAfter(port, WARM_UP_REQUESTS);
    const after = await cpuMsAfter(port, COUNTED_REQUESTS);
    return ratesFor((after - before) / COUNTED_REQUESTS, limitCores);
  } finally {
    const ended = once(server, "exit");
    if (server.kill("SIGKILL")) await ended;
  }
}

async function portOf(stdout: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: stdout })) {
    const port = Number(/port (\d+)/.exec(line)?.[1]);
    if (port > 0) return port;
  }
  throw new Error("the shop server ended before it listened");
}

/** CPU time that the server has used when it answers the last of these requests. */
async function cpuMsAfter(port: number, requests: number): Promise<number> {
  let cpuMs = 0;
  for (let i = 0; i < requests; i += 1) cpuMs = answerSchema.parse(JSON.parse(await get(port))).cpuMs;
  return cpuMs;
}

const answerSchema = z.object({ cpuMs: z.number() });

async function get(port: number): Promise<string> {
  const call = request({ host: "127.0.0.1", port, path: "/", agent: false }).end();
  const [response] = await once(call, "response");
  return Buffer.concat(await response.toArray()).toString();
}

const composeSchema = z.object({
  services: z.object({
    web: z.object({
      deploy: z.object({ resources: z.object({ limits: z.object({ cpus: z.coerce.number() }) }) }),
    }),
  }),
});

/** The CPU limit that the compose file gives a replica of `web`. */
export function readLimitCores(composeFile: string): number {
  return composeSchema.parse(parse(readFileSync(composeFile, "utf8"))).services.web.deploy.resources.limits
    .cpus;
}
