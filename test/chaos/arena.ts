import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../core/errors.ts";
import { readCompose } from "../../daemon.ts";
import {
  FlyballHouse,
  SERVICE,
  type Seen,
  VERSION_LABEL,
  VERSION_VARIABLE,
} from "../integration/flyball-daemon.ts";
import { LAB_IMAGE } from "../lab/engines.ts";
import { type Census, takeCensus } from "./census.ts";
import type { Ground, Releases } from "./ground.ts";
import { APPLIED_REPLICAS, type ChaosPlan, describePlan, type Wanted } from "./plans.ts";
import { SteppedSocket } from "./stepped-socket.ts";

/** It has to stay right for so long: longer than a pass, and than what somebody else did is waited for. */
const STAYS_MS = 1_700;
const LOOK_MS = 70;
const STARTS = 5;
const LAST_LINES = 25;
const LINE_LIMIT = 400;
const UNKNOWN_TO_GC = /unused anonymous volumes of nobody/;

/** What the judge saw when it gave up. */
export class ChaosFailure extends Error {}

/** One project and its daemon on one engine, and the judge of both. */
export class Arena {
  readonly ground: Ground;
  readonly house: FlyballHouse;
  /** Between the daemon and its engine; absent on the process engine. */
  readonly socket: SteppedSocket | undefined;
  /** What was settled last. */
  wanted: Wanted = { web: 0, version: 1 };
  /** Volumes that the engine lost by dying, and that `flyball gc` knew of. */
  volumesLost = 0;
  readonly #before: Census;
  readonly #volumesSeen = new Set<string>();

  readonly #signal: AbortSignal | undefined;

  private constructor(
    ground: Ground,
    house: FlyballHouse,
    socket: SteppedSocket | undefined,
    before: Census,
    signal: AbortSignal | undefined,
  ) {
    this.ground = ground;
    this.house = house;
    this.socket = socket;
    this.#before = before;
    this.#signal = signal;
  }

  /** @param signal ends the waiting for what should be */
  static async open(releases: Releases, ground: Ground, signal?: AbortSignal): Promise<Arena> {
    const { lab } = ground;
    if (lab === undefined) {
      return new Arena(ground, await FlyballHouse.open(releases), undefined, new Set(), signal);
    }
    const directory = mkdtempSync(join(tmpdir(), "flyball-chaos-"));
    const socket = new SteppedSocket(join(directory, "engine.sock"), lab.socketPath);
    await socket.join();
    const house = await FlyballHouse.open(releases, lab, { DOCKER_HOST: `unix://${socket.path}` });
    house.defer(async () => {
      await socket[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
      await removeNamedVolume(house);
    });
    return new Arena(ground, house, socket, await takeCensus(house.docker), signal);
  }

  /** Starts the daemon; again, as systemd would, when the engine was too slow to answer it. */
  async serve(): Promise<void> {
    for (let triesLeft = STARTS - 1; ; triesLeft -= 1) {
      const { length } = this.house.output;
      try {
        return await this.house.serve();
      } catch (error) {
        if (triesLeft === 0 || !this.house.output.slice(length).includes("ENGINE_UNAVAILABLE")) throw error;
      }
    }
  }

  /** Asks the daemon for the change. False: it did not say that it will be done. */
  async ask({ kind, to }: ChaosPlan): Promise<boolean> {
    const { client, project } = this.house;
    try {
      if (kind === "remove") await client.removeProject(project);
      else if (kind === "in" || kind === "out")
        await client.scale(this.house.serviceId(), { replicas: to.web });
      else await client.applyProject(project, await this.#request(to.version));
      return true;
    } catch {
      return false;
    }
  }

  /** Absent: all is as wanted. Else: what is not. */
  async wrong(wanted: Wanted): Promise<string | undefined> {
    const { house } = this;
    const [web, db] = await Promise.all([house.seen("web"), house.seen("db")]);
    const troubles = [
      ...troublesOf("web", web, wanted.web, wanted.version),
      ...troublesOf("db", db, wanted.web === 0 ? 0 : 1, wanted.version),
    ];
    if (troubles.length > 0) return troubles.join("; ");
    const expected = wanted.web === 0 ? 0 : wanted.web + 2;
    if (this.ground.lab !== undefined) {
      const left = await house.leftInDocker();
      if (left.length !== expected)
        return `expected ${expected} containers and networks, got ${left.join(", ")}`;
      const volumes = await this.#strayVolumes();
      if (volumes.length > 0 && !(await this.#areTheEngines(volumes)))
        return `volumes of nobody: ${volumes.join(", ")}`;
    }
    const services = await house.client.services().catch((error: unknown) => messageOf(error));
    if (typeof services === "string") return services;
    const told = Object.fromEntries(services.map(({ name, replicas }) => [name, replicas]));
    const [toldWeb, toldDb] = [told["web"], told["db"]];
    if (wanted.web === 0)
      return services.length === 0 ? undefined : "the daemon has not forgotten the project";
    if (toldWeb?.desired !== wanted.web) return `the daemon wants ${toldWeb?.desired} of web`;
    if (toldWeb.ready !== wanted.web || toldDb?.ready !== 1)
      return `the daemon counts ${toldWeb.ready} of web and ${toldDb?.ready} of db as ready`;
    return undefined;
  }

  /**
   * Nobody disturbs any more: within the limit all has to be as one of these wants it, and to stay so.
   * @param what for the message of the failure
   * @returns how long it took
   */
  async settle(acceptable: readonly [Wanted, ...Wanted[]], what: string, limitMs: number): Promise<number> {
    const startedMs = performance.now();
    let right: { wanted: Wanted; sinceMs: number } | undefined;
    for (;;) {
      this.#signal?.throwIfAborted();
      const lookedMs = performance.now();
      let troubles: string[] = [];
      let found: Wanted | undefined;
      for (const wanted of acceptable) {
        const trouble = await this.wrong(wanted).catch(messageOf);
        if (trouble === undefined) {
          found = wanted;
          break;
        }
        troubles = [...troubles, `as ${JSON.stringify(wanted)}: ${trouble}`];
      }
      if (found === undefined) {
        if (right !== undefined && acceptable.length === 1)
          throw await this.failure(what, `it was right, and did not stay so: ${troubles.join("\n  ")}`);
        right = undefined;
      } else if (right?.wanted !== found) right = { wanted: found, sinceMs: lookedMs };
      if (right !== undefined && lookedMs - right.sinceMs >= STAYS_MS) {
        this.wanted = right.wanted;
        return right.sinceMs - startedMs;
      }
      if (right === undefined && lookedMs - startedMs > limitMs)
        throw await this.failure(what, `not right after ${limitMs} ms: ${troubles.join("\n  ")}`);
      await sleep(LOOK_MS);
    }
  }

  /** For the message of a failure. */
  told(point: string, plan: ChaosPlan, done: string): string {
    return `${point}: ${describePlan(plan)}, ${done}`;
  }

  async failure(what: string, found: string): Promise<ChaosFailure> {
    const lines = this.house.output
      .trimEnd()
      .split("\n")
      .slice(-LAST_LINES)
      .map((line) => line.slice(0, LINE_LIMIT));
    const holds = await this.house.client
      .service(this.house.serviceId())
      .then((service) => service.holds.join("; "), messageOf);
    return new ChaosFailure(
      [
        `${what}, on ${this.ground.name}`,
        found,
        ...(await this.#engineView()),
        `The daemon holds: ${holds}`,
        "Its last lines:",
        ...lines,
      ].join("\n  "),
    );
  }

  /** Takes everything away and counts what is left: nothing may be. */
  async close(limitMs: number): Promise<number> {
    const { house } = this;
    const removal: ChaosPlan = { kind: "remove", from: this.wanted, to: { ...this.wanted, web: 0 } };
    if (this.wanted.web > 0) {
      if (!(await this.ask(removal))) throw await this.failure("the last removal", "it was refused");
      await this.settle([removal.to], "the last removal", limitMs);
    }
    const status = await house.stop();
    if (status !== 0) throw await this.failure("the last stop", `the daemon ended with ${status}`);
    await house.assertNothingLeft();
    if (this.ground.lab === undefined) return 0;
    await removeNamedVolume(house);
    if (!this.ground.isOwn) return 0;
    const left = [...(await takeCensus(house.docker)).difference(this.#before)];
    if (left.length > 0) throw await this.failure("the last count", `left on the engine: ${left.join(", ")}`);
    return left.length;
  }

  async #engineView(): Promise<string[]> {
    if (this.ground.lab === undefined) return [];
    return (await this.#containers()).map(
      ({ Names, State, Status }) => `${Names.join(" ")}: ${State}, ${Status}`,
    );
  }

  /** Volumes that no container uses. Where others are at work, only those that were seen in use by ours. */
  async #strayVolumes(): Promise<string[]> {
    const dangling = await this.house.danglingVolumes();
    for (const { Mounts } of await this.#containers()) {
      for (const { Name } of Mounts) if (Name !== undefined) this.#volumesSeen.add(Name);
    }
    const named = namedVolume(this.house);
    return [...dangling].filter((name) => name !== named && this.#isOurs(name));
  }

  /**
   * An engine that dies in the middle of a removal forgets the container and keeps its volume. It has to be known to `flyball gc`,
   * which would remove it ten minutes from now.
   */
  async #areTheEngines(volumes: readonly string[]): Promise<boolean> {
    if (this.ground.engineDies !== true) return false;
    const { kept } = await this.house.client.leftovers();
    if (kept.some((sentence) => UNKNOWN_TO_GC.test(sentence))) return false;
    for (const name of volumes) await this.house.docker.getVolume(name).remove();
    this.volumesLost += volumes.length;
    return true;
  }

  #isOurs(volume: string): boolean {
    return this.ground.isOwn ? !this.#before.has(`volume ${volume}`) : this.#volumesSeen.has(volume);
  }

  async #containers() {
    const label = [`com.docker.compose.project=${this.house.project}`];
    return await this.house.docker.listContainers({ all: true, filters: { label } });
  }

  async #request(version: number) {
    const { house } = this;
    const about = `    environment: { ${VERSION_VARIABLE}: "${version}" }
    labels: { ${VERSION_LABEL}: "${version}", autoscale.max_cpu: "90", autoscale.dry_run: "true", autoscale.on_external_change: restore }
    deploy: { replicas: ${APPLIED_REPLICAS}, update_config: { monitor: 300ms } }
    depends_on: [db]
    restart: unless-stopped
`;
    const database = `
    image: ${LAB_IMAGE}
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    volumes: ["store:/store", "/scratch"]
    environment: { ${VERSION_VARIABLE}: "${version}" }
    labels: { ${VERSION_LABEL}: "${version}" }
    deploy: { update_config: { monitor: 300ms } }
    restart: unless-stopped
`;
    const services = `  web:${SERVICE}${about}  db:${database}volumes: { store: {} }\n`;
    // A name of its own: files of several versions may be read at the same time.
    const file = house.write(
      `${randomBytes(4).toString("hex")}.yaml`,
      `name: ${house.project}\nservices:\n${services}`,
    );
    const { request } = await readCompose({
      files: [file],
      workingDirectory: house.directory,
      environment: {},
    });
    rmSync(file);
    return request;
  }
}

function troublesOf(name: string, seen: readonly Seen[], count: number, version: number): string[] {
  const isRight =
    seen.length === count &&
    seen.every((one) => one.running && one.version === String(version)) &&
    new Set(seen.map(({ slot }) => slot)).size === count;
  if (isRight) return [];
  const found = seen.map((one) => `#${one.slot} ${one.running ? "runs" : "does not run"} (v${one.version})`);
  return [`expected ${count} of ${name} running at v${version}, got ${found.join(", ") || "none"}`];
}

function namedVolume({ project }: FlyballHouse): string {
  return `${project}_store`;
}

async function removeNamedVolume(house: FlyballHouse): Promise<void> {
  await house.docker
    .getVolume(namedVolume(house))
    .remove()
    .catch(() => undefined);
}
