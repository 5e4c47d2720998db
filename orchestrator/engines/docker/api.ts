import { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { CallOptions, DockerConnection } from "./connect.ts";
import { isGone } from "./errors.ts";
import { COMPOSE_LABELS } from "./labels.ts";
import type { CreateBody, Endpoint, FileStat, InspectedContainer, ListedContainer } from "./wire.ts";

/** Creating and starting may copy an image's files into a volume, removing waits for the file system. */
const SLOW_DEADLINE_MS = 120_000;

const KEEP_ALIVE_MS = 15_000;

/**
 * The calls to the engine that are made, one function each. dockerode's types say more than engines keep (null and
 * absent lists above all), so what comes back is read as wire.ts describes it.
 */

export function listContainers(
  { docker, ask }: DockerConnection,
  project: string,
  options: CallOptions,
): Promise<readonly ListedContainer[]> {
  const filters = { label: [`${COMPOSE_LABELS.project}=${project}`] };
  return ask((abortSignal) => docker.listContainers({ all: true, filters, abortSignal }), options);
}

/** `nameOrId` as the engine knows it. */
export function inspectContainer(
  { docker, ask }: DockerConnection,
  nameOrId: string,
  options: CallOptions,
): Promise<InspectedContainer> {
  return ask(async (abortSignal) => {
    const answer: unknown = await docker.getContainer(nameOrId).inspect({ abortSignal });
    return answer as InspectedContainer;
  }, options);
}

/** The id that an image's name stands for; undefined when it stands for none. */
export async function imageIdOf(
  { docker, ask }: DockerConnection,
  reference: string,
  options: CallOptions,
): Promise<string | undefined> {
  // The type has no signal here, the library has.
  const inspect = (abortSignal: AbortSignal) => docker.getImage(reference).inspect({ abortSignal } as object);
  const image = await ask(inspect, options).catch(orUndefinedWhenGone);
  return image?.Id;
}

/** Which of these names networks have. */
export async function existingNetworks(
  { docker, ask }: DockerConnection,
  names: readonly string[],
  options: CallOptions,
): Promise<string[]> {
  if (names.length === 0) return [];
  // The filter matches parts of names too.
  const found = await ask(
    (abortSignal) => docker.listNetworks({ filters: { name: [...names] }, abortSignal }),
    options,
  );
  const existing = new Set(found.map((network) => network.Name));
  return names.filter((name) => existing.has(name));
}

/** Which of these names volumes have. */
export async function existingVolumes(
  { docker, ask }: DockerConnection,
  names: readonly string[],
  options: CallOptions,
): Promise<string[]> {
  if (names.length === 0) return [];
  const query = { filters: JSON.stringify({ name: names }) };
  const found = await ask((abortSignal) => docker.listVolumes({ ...query, abortSignal }), options);
  const existing = new Set((found.Volumes ?? []).map((volume) => volume.Name));
  return names.filter((name) => existing.has(name));
}

/** Returns the new container's id. */
export async function createContainer(
  { docker, ask }: DockerConnection,
  name: string,
  platform: string | undefined,
  body: CreateBody,
  options: CallOptions,
): Promise<string> {
  const query = { name, ...(platform === undefined ? {} : { platform }) };
  // Without `_query` the library would write the whole body, secrets included, into the address as well.
  const parts = { _query: query, _body: body };
  const container = await ask((abortSignal) => docker.createContainer({ ...parts, abortSignal }), {
    deadlineMs: SLOW_DEADLINE_MS,
    ...options,
  });
  return container.id;
}

export async function connectNetwork(
  { docker, ask }: DockerConnection,
  network: string,
  container: string,
  endpoint: Endpoint,
  options: CallOptions,
): Promise<void> {
  const parts = { Container: container, EndpointConfig: endpoint };
  await ask(() => docker.getNetwork(network).connect({ _body: parts } as object), options);
}

export async function startContainer(
  { docker, ask }: DockerConnection,
  id: string,
  options: CallOptions,
): Promise<void> {
  await ask((abortSignal) => docker.getContainer(id).start({ abortSignal }), {
    deadlineMs: SLOW_DEADLINE_MS,
    ...options,
  });
}

/** @param graceSeconds absent: the container's own, else the engine's */
export async function stopContainer(
  { docker, ask }: DockerConnection,
  id: string,
  graceSeconds: number | undefined,
  options: CallOptions,
): Promise<void> {
  const query = graceSeconds === undefined ? {} : { t: graceSeconds };
  const deadlineMs = SLOW_DEADLINE_MS + (graceSeconds ?? 0) * 1000;
  await ask((abortSignal) => docker.getContainer(id).stop({ ...query, abortSignal }), {
    deadlineMs,
    ...options,
  });
}

/** With its anonymous volumes. */
export async function removeContainer(
  { docker, ask }: DockerConnection,
  id: string,
  force: boolean,
  options: CallOptions,
): Promise<void> {
  await ask(() => docker.getContainer(id).remove({ v: true, force }), {
    deadlineMs: SLOW_DEADLINE_MS,
    ...options,
  });
}

export interface NetworkRequest {
  readonly Name: string;
  readonly CheckDuplicate: boolean;
  readonly Driver: string;
  readonly Options: Record<string, string>;
  readonly Labels: Record<string, string>;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM?: { readonly Config: { Subnet?: string; IPRange?: string; Gateway?: string }[] };
}

export async function createNetwork(
  { docker, ask }: DockerConnection,
  request: NetworkRequest,
  options: CallOptions,
): Promise<void> {
  const parts = { _query: {}, _body: request, Name: request.Name };
  await ask((abortSignal) => docker.createNetwork({ ...parts, abortSignal }), options);
}

export async function removeNetwork(
  { docker, ask }: DockerConnection,
  network: string,
  options: CallOptions,
): Promise<void> {
  // The type has no signal here, the library has.
  await ask((abortSignal) => docker.getNetwork(network).remove({ abortSignal } as object), options);
}

export interface VolumeRequest {
  readonly Name: string;
  readonly Driver: string;
  readonly DriverOpts: Record<string, string>;
  readonly Labels: Record<string, string>;
}

export async function createVolume(
  { docker, ask }: DockerConnection,
  request: VolumeRequest,
  options: CallOptions,
): Promise<void> {
  const parts = { _query: {}, _body: request };
  await ask((abortSignal) => docker.createVolume({ ...parts, abortSignal }), options);
}

/** The progress of a pull, as lines of JSON. Ends with the signal. */
export async function pullStream(
  { docker, ask }: DockerConnection,
  fromImage: string,
  tag: string,
  signal: AbortSignal,
): Promise<NodeJS.ReadableStream> {
  return ask(() => docker.createImage({ fromImage, tag, abortSignal: signal }), { signal });
}

/** Events of containers, networks, volumes and images, as lines of JSON. Ends with the signal. */
export async function eventStream(
  { docker, ask }: DockerConnection,
  signal: AbortSignal,
): Promise<NodeJS.ReadableStream> {
  const filters = { type: ["container" as const, "network" as const, "volume" as const, "image" as const] };
  const stream = await ask(() => docker.getEvents({ filters, abortSignal: signal }), { signal });
  // Days may pass between two events; this is how a peer that vanished is noticed.
  if (stream instanceof IncomingMessage) stream.socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return stream;
}

/** The last lines as the engine sends them: framed, unless the container has a terminal. */
export function readLogs(
  { docker, ask }: DockerConnection,
  id: string,
  lines: number,
  options: CallOptions,
): Promise<Buffer> {
  return ask(async (abortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // Not `container.logs()`: it hands out an object where the text happens to be JSON.
    docker.modem.dial(
      {
        path: `/containers/${id}/logs?`,
        method: "GET",
        options: { stdout: true, stderr: true, tail: lines },
        isStream: true,
        abortSignal,
        statusCodes: { 200: true, 404: "no such container", 500: "server error" },
      },
      (error, response) => (error === null ? resolve(response as IncomingMessage) : reject(error)),
    );
    return collect(await promise);
  }, options);
}

/** Prepares a command in a container that runs. Returns its id. */
export async function createExec(
  { docker, ask }: DockerConnection,
  container: string,
  argv: readonly string[],
  options: CallOptions,
): Promise<string> {
  const parts = { Cmd: [...argv], AttachStdout: true, AttachStderr: true };
  const exec = await ask(
    (abortSignal) => docker.getContainer(container).exec({ ...parts, abortSignal }),
    options,
  );
  return exec.id;
}

/** Starts it; gives what it writes, framed, to its end. @param isDetached nothing is given */
export async function startExec(
  { docker, ask }: DockerConnection,
  id: string,
  isDetached: boolean,
  options: CallOptions,
): Promise<Duplex> {
  const parts = { Detach: isDetached, Tty: false };
  return await ask((abortSignal) => docker.getExec(id).start({ ...parts, abortSignal }), options);
}

export async function inspectExec(
  { docker, ask }: DockerConnection,
  id: string,
  options: CallOptions,
): Promise<{ readonly Running: boolean; readonly ExitCode: number | null }> {
  return await ask((abortSignal) => docker.getExec(id).inspect({ abortSignal }), options);
}

/** Paths that the container's own layer has added to its image's. */
export async function addedPaths(
  { docker, ask }: DockerConnection,
  id: string,
  options: CallOptions,
): Promise<string[]> {
  const changes: unknown = await ask(() => docker.getContainer(id).changes(), options);
  const entries = (changes ?? []) as readonly { readonly Path: string; readonly Kind: number }[];
  return entries.filter(({ Kind }) => Kind === 1).map(({ Path }) => Path);
}

/** Undefined when there is no such file. */
export async function statFile(
  { docker, ask }: DockerConnection,
  id: string,
  path: string,
  options: CallOptions,
): Promise<FileStat | undefined> {
  const stat = async (abortSignal: AbortSignal): Promise<IncomingMessage> => {
    const response: unknown = await docker.getContainer(id).infoArchive({ path, abortSignal });
    return response as IncomingMessage;
  };
  const response = await ask(stat, options).catch(orUndefinedWhenGone);
  // It has no body, and still holds its connection until it is read.
  response?.resume();
  const encoded = response?.headers["x-docker-container-path-stat"];
  if (typeof encoded !== "string") return undefined;
  return JSON.parse(Buffer.from(encoded, "base64").toString()) as FileStat;
}

/** A tar with that one file. */
export function getArchive(
  { docker, ask }: DockerConnection,
  id: string,
  path: string,
  options: CallOptions,
): Promise<Buffer> {
  return ask(
    async (abortSignal) => collect(await docker.getContainer(id).getArchive({ path, abortSignal })),
    options,
  );
}

/** Unpacks a tar at the container's root. */
export async function putArchive(
  { docker, ask }: DockerConnection,
  id: string,
  tar: Buffer,
  options: CallOptions,
): Promise<void> {
  await ask((abortSignal) => docker.getContainer(id).putArchive(tar, { path: "/", abortSignal }), options);
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function orUndefinedWhenGone(error: unknown): undefined {
  if (isGone(error)) return undefined;
  throw error;
}
