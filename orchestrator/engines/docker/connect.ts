import http from "node:http";
import https from "node:https";
import type Dockerode from "dockerode";
import { FlyballError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { formatDuration, SECOND_MS } from "../../../core/units.ts";
import { type AddressOptions, type EngineAddress, engineAddress } from "./address.ts";
import { engineError, engineHangs, unavailable } from "./errors.ts";

/** Below, the engine lacks things that are relied on here (20.10 has it). */
const OLDEST_API = "1.41";
/** Above, fields may mean something else than what is known here. */
const NEWEST_API = "1.51";

const DEADLINE_MS = 30 * SECOND_MS;
/** After this an engine that has not said who it is is said to be slow. */
const SLOW_MS = 3 * SECOND_MS;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default 30 s. */
  readonly deadlineMs?: number | undefined;
}

export interface ConnectOptions extends AddressOptions {
  /** Told of an engine that is waited for. */
  readonly log: Log;
  /** Default 3 s. */
  readonly slowMs?: number;
}

/** An engine that answered, and how to ask it. */
export interface DockerConnection {
  readonly docker: Dockerode;
  readonly address: EngineAddress;
  readonly engineVersion: string;
  readonly apiVersion: string;

  /**
   * One call with its deadline; `call` hands the signal on, so that the request ends with it.
   * @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED; the signal's reason when the caller's own signal ended it
   */
  ask<T>(call: (abortSignal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>;
}

interface VersionAnswer {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
}

/** True when a Docker engine answers there, however busy; costs one small request and loads no library. */
export async function dockerAnswers(options: ConnectOptions): Promise<boolean> {
  try {
    await waitForVersion(engineAddress(options), options);
    return true;
  } catch {
    return false;
  }
}

/**
 * Waits up to 30 s for an engine that takes the call and is slow to answer.
 * @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_UNSUPPORTED for an engine too old, CONFIG_INVALID
 */
export async function connect(options: ConnectOptions): Promise<DockerConnection> {
  const address = engineAddress(options);
  const version = await waitForVersion(address, options);
  const apiVersion = negotiate(version.ApiVersion, version.MinAPIVersion);
  if (apiVersion === undefined) {
    throw new FlyballError(
      "ENGINE_UNSUPPORTED",
      `The Docker engine at ${address.text}: expected API ${OLDEST_API} or newer (Docker 20.10), got ${version.ApiVersion}`,
    );
  }
  // Loaded only now: it is large, and a daemon that runs processes has no use for it.
  const { default: Docker } = await import("dockerode");
  return {
    docker: new Docker(clientOptions(address, apiVersion)),
    address,
    engineVersion: version.Version,
    apiVersion,
    ask: (call, callOptions = {}) => ask(address.text, call, callOptions),
  };
}

/**
 * The newest version that both sides know, so that no field is lost on the way; undefined when the engine is too old.
 */
export function negotiate(engineApi: string, engineOldest = engineApi): string | undefined {
  if (!isAtLeast(engineApi, OLDEST_API)) return undefined;
  if (isAtLeast(NEWEST_API, engineApi)) return engineApi;
  return isAtLeast(NEWEST_API, engineOldest) ? NEWEST_API : engineOldest;
}

/** Compares `1.44` and the like. */
export function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
  return major === leastMajor ? minor >= leastMinor : major > leastMajor;
}

async function ask<T>(
  address: string,
  call: (abortSignal: AbortSignal) => Promise<T>,
  { signal, deadlineMs = DEADLINE_MS }: CallOptions,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown): void => {
    ended.reject(reason);
    controller.abort(reason);
  };
  const timer = setTimeout(() => end(engineHangs(address, deadlineMs)), deadlineMs);
  const onAbort = (): void => end(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    // The library does not reject in every phase of an aborted request, hence the race.
    return await Promise.race([call(controller.signal), ended.promise]);
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    throw engineError(error, address);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Every field is given: what is left out, the library would take from the environment. */
function clientOptions(address: EngineAddress, apiVersion: string): Dockerode.DockerOptions {
  const version = `v${apiVersion}`;
  return address.kind === "socket"
    ? { socketPath: address.socketPath, host: undefined, port: undefined, protocol: "http", version }
    : { host: address.host, port: address.port, protocol: address.secure ? "https" : "http", version };
}

async function waitForVersion(
  address: EngineAddress,
  { log, slowMs = SLOW_MS }: ConnectOptions,
): Promise<VersionAnswer> {
  const timer = setTimeout(
    () =>
      log.warn(
        { address: address.text },
        `the Docker engine is slow to answer; waited for up to ${formatDuration(DEADLINE_MS)}`,
      ),
    slowMs,
  );
  try {
    return await readVersion(address);
  } finally {
    clearTimeout(timer);
  }
}

function readVersion(address: EngineAddress): Promise<VersionAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<VersionAnswer>();
  const get = address.kind === "tcp" && address.secure ? https.get : http.get;
  const target =
    address.kind === "socket"
      ? { socketPath: address.socketPath }
      : { host: address.host, port: address.port };
  const request = get(
    { ...target, path: "/version", agent: false, signal: AbortSignal.timeout(DEADLINE_MS) },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const answer = versionIn(Buffer.concat(chunks).toString());
        if (answer === undefined)
          reject(unavailable(address.text, "what answers there is not a Docker engine"));
        else resolve(answer);
      });
    },
  );
  request.on("error", (error) => {
    const isTimeout = error.name === "AbortError" || error.name === "TimeoutError";
    reject(isTimeout ? engineHangs(address.text, DEADLINE_MS) : engineError(error, address.text));
  });
  return promise;
}

function versionIn(text: string): VersionAnswer | undefined {
  try {
    const answer: Partial<VersionAnswer> | null = JSON.parse(text);
    const { Version, ApiVersion, MinAPIVersion } = answer ?? {};
    if (typeof Version !== "string" || typeof ApiVersion !== "string") return undefined;
    return { Version, ApiVersion, ...(typeof MinAPIVersion === "string" ? { MinAPIVersion } : {}) };
  } catch {
    return undefined;
  }
}
