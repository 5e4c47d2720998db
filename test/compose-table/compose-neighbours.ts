import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type Docker from "dockerode";
import type { AuditLine } from "../../core/wire.ts";
import { eventually, FlyballHouse } from "../integration/flyball-daemon.ts";
import { compose, composeV1, type LabEngine } from "../lab/engines.ts";

/** The releases of compose that are tried. */
export type Release = "2.26" | "1.29";

type Labels = Readonly<Record<string, string>>;

/** How the labels of a look-alike differ from those of what it looks like. */
export type Odd = (labels: Labels) => Labels;

/** Of replicas, by service. */
export type Counts = Readonly<Record<string, number>>;

/** How a container that somebody makes after another differs from it, but for its labels. */
export interface Making {
  /** The number of the one that it is made after. */
  readonly like?: number;
  readonly starts?: boolean;
  /** It is on the first network of the other alone. */
  readonly isOnOne?: boolean;
}

/** Most need no network, and an engine takes longest over those. */
export const PLAIN = "    network_mode: none";

export function without(label: string): Odd {
  return ({ [label]: _, ...labels }) => labels;
}

/** A compose project of one release with a daemon that looks after it, and the engine seen past both. */
export class Neighbours {
  readonly house: FlyballHouse;
  readonly docker: Docker;
  readonly #lab: LabEngine;
  readonly #release: Release;
  readonly #services: Readonly<Record<string, string>>;
  #lines = 0;

  private constructor(
    house: FlyballHouse,
    lab: LabEngine,
    release: Release,
    services: Readonly<Record<string, string>>,
  ) {
    this.house = house;
    this.docker = house.docker;
    this.#lab = lab;
    this.#release = release;
    this.#services = services;
  }

  /** One replica of each service, made by compose. @param special services with what their definition has more */
  static async open(
    t: TestContext,
    lab: LabEngine,
    release: Release,
    plain: readonly string[],
    special: Readonly<Record<string, string>>,
  ): Promise<Neighbours> {
    const services = { ...Object.fromEntries(plain.map((name) => [name, PLAIN])), ...special };
    const on = new Neighbours(await FlyballHouse.open(t, lab), lab, release, services);
    on.define({});
    await on.compose("up", "-d");
    await on.house.serve();
    await on.house.must("up", "-p", on.house.project, "-f", `${on.house.directory}/compose.yaml`);
    return on;
  }

  /** Compose 1.29 reads what engines from 25 on no longer say of an image, and fails over it. */
  get canRecreate(): boolean {
    return this.#release === "2.26" || this.#lab.name === "20.10";
  }

  /** Writes the file. @param changes what these services have more from now on */
  define(changes: Readonly<Record<string, string>>): void {
    const services = Object.entries({ ...this.#services, ...changes }).map(
      ([name, more]) => `  ${name}:
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    labels: { autoscale.max_cpu: "90", autoscale.max: "6" }
${more}`,
    );
    const name = this.#release === "2.26" ? [`name: ${this.house.project}`] : [];
    const text = [...name, "services:", ...services, "networks: { back: {} }", ""];
    this.house.write("compose.yaml", text.join("\n"));
  }

  async compose(...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.tryCompose(...words);
    assert.equal(exitCode, 0, `compose ${words.join(" ")}: ${stderr}\n${this.house.output.slice(-4_000)}`);
    return stdout;
  }

  tryCompose(...words: string[]) {
    const run = this.#release === "2.26" ? compose : composeV1;
    return run(this.#lab, ["-p", this.house.project, ...words], { cwd: this.house.directory });
  }

  /** The words of `up` that ask for these counts. */
  scales(counts: Counts): string[] {
    return Object.entries(counts).flatMap(([name, count]) => ["--scale", `${name}=${count}`]);
  }

  /** As a person asks for them. */
  async scale(counts: Counts): Promise<void> {
    await this.house.must("scale", ...Object.entries(counts).map(([name, count]) => `${name}=${count}`));
    await this.#have("scaled by hand", counts);
  }

  /** The containers of a service by the number at the end of their names, which no two of them have. */
  async ids(service: string): Promise<ReadonlyMap<number, string>> {
    const listed = await this.#listAll(`com.docker.compose.service=${service}`);
    const numbered = listed.map(({ Id, Names }) => [Number(Names[0]?.split(/[-_]/u).at(-1)), Id] as const);
    const ids = new Map(numbered.toSorted(([a], [b]) => a - b));
    assert.equal(ids.size, listed.length, `${service}: ${listed.map(({ Names }) => Names[0]).join(", ")}`);
    return ids;
  }

  /** Removes one as `docker rm -f` does. */
  async remove(service: string, id: string | undefined): Promise<void> {
    assert.ok(id !== undefined, `it is not there: one of ${service}`);
    await this.docker.getContainer(id).remove({ force: true, v: true });
  }

  /** A container that somebody makes after another of the service, with other labels. */
  async lookAlike(
    service: string,
    slot: number,
    odd: Odd,
    { like = 1, starts = true, isOnOne = false }: Making = {},
  ): Promise<void> {
    const { Config, HostConfig, Name, NetworkSettings } = await this.#inspect(service, like);
    const name = Name.slice(1).replace(/\d+$/u, String(slot));
    const Labels = odd({ ...Config.Labels, "com.docker.compose.container-number": String(slot) });
    const parts = { _query: { name }, _body: { ...Config, Labels, HostConfig, Hostname: "" }, name };
    const container = await this.docker.createContainer(parts);
    for (const network of Object.keys(NetworkSettings.Networks)) {
      if (isOnOne || network === HostConfig.NetworkMode) continue;
      await this.docker.getNetwork(network).connect({ Container: container.id });
    }
    if (starts) await container.start();
  }

  /** What compose goes by is the same of both, but for the number. */
  async areAlike(service: string, first: number, second: number): Promise<void> {
    const shapes = await Promise.all(
      [first, second].map(async (slot) => {
        const { Config, NetworkSettings } = await this.#inspect(service, slot);
        const labels = Object.entries(Config.Labels).filter(([key]) => key.startsWith("com.docker.compose."));
        const number = "com.docker.compose.container-number";
        return {
          labels: Object.fromEntries(labels.map(([key, value]) => [key, key === number ? "" : value])),
          networks: Object.keys(NetworkSettings.Networks).sort(),
        };
      }),
    );
    assert.deepEqual(shapes[1], shapes[0], service);
  }

  /** What compose's `ps` lists, as `web-2`. */
  async listed(...words: string[]): Promise<string[]> {
    const text = await this.compose("ps", ...words);
    const name = new RegExp(`^${this.house.project}[-_]([a-z]+)[-_](\\d+)\\b`, "gmu");
    return [...text.matchAll(name)].map(([, service, number]) => `${service}-${number}`).sort();
  }

  /** Waits until that was said of it and the services have these counts. */
  async settles(situation: string, said: readonly string[], counts: Counts): Promise<void> {
    await eventually(
      `${situation}: it is settled`,
      async () => (await this.#audit()).length >= this.#lines + said.length,
      { about: () => this.house.output.slice(-4_000) },
    );
    await this.#have(situation, counts);
    assert.deepEqual(await this.#said(), said.toSorted(), situation);
  }

  async #have(situation: string, counts: Counts): Promise<void> {
    await eventually(
      `${situation}: ${JSON.stringify(counts)}`,
      async () => {
        const listed = Map.groupBy(
          await this.#listAll(),
          ({ Labels }) => Labels["com.docker.compose.service"] ?? "",
        );
        return Object.entries(counts).every(([name, count]) => {
          const seen = listed.get(name) ?? [];
          return seen.length === count && seen.every(({ State }) => State === "running");
        });
      },
      { about: () => this.house.output.slice(-4_000) },
    );
  }

  /** What was done past Flyball, newest first. */
  async #audit(): Promise<readonly AuditLine[]> {
    const lines = await this.house.client.audit(200);
    return lines.filter(({ what }) => what !== "scale");
  }

  /** What the audit has of it since it was asked last, one line each. */
  async #said(): Promise<string[]> {
    const lines = await this.#audit();
    const news = lines.slice(0, lines.length - this.#lines);
    this.#lines = lines.length;
    return news.map((line) => this.#textOf(line)).sort();
  }

  #textOf({ service, who, what, from, to, policy, sentence }: AuditLine): string {
    const name = service?.slice(this.house.project.length + 1);
    const counts = from === undefined ? what : `${from} -> ${to}`;
    const about = sentence.replaceAll(this.house.project, "PROJECT");
    return [name, who, counts, policy, about].filter((part) => part !== undefined).join(" | ");
  }

  /** Of the project, those with these labels. */
  #listAll(...labels: string[]) {
    const label = [`com.docker.compose.project=${this.house.project}`, ...labels];
    return this.docker.listContainers({ all: true, filters: { label } });
  }

  async #inspect(service: string, slot: number) {
    const id = (await this.ids(service)).get(slot);
    assert.ok(id !== undefined, `there is no ${service}-${slot}`);
    return this.docker.getContainer(id).inspect();
  }
}
