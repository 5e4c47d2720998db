import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditLine } from "../../core/wire.ts";
import {
  compose,
  composeV1,
  type LabEngine,
  labEngines,
  skipWithoutCompose,
  skipWithoutEngine,
} from "../lab/engines.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines) || skipWithoutCompose();
if (skip !== false) test("who owns the count on a Docker Engine", { skip }, () => {});

/** Longer than it takes until what somebody has done is settled, or is known to be nothing. */
const SETTLED_MS = 4_000;

type Counts = Readonly<Record<string, number>>;

/** Three services that differ in their policy alone, and one without rules; a project of its own for each table. */
class Table {
  readonly house: FlyballHouse;
  readonly #lab: LabEngine;
  readonly #isV1: boolean;
  #lines = 0;

  constructor(house: FlyballHouse, lab: LabEngine, isV1: boolean) {
    this.house = house;
    this.#lab = lab;
    this.#isV1 = isV1;
  }

  define(version: number): string {
    const service = (name: string, labels: string) => `  ${name}:
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    restart: unless-stopped
    environment: { V: "${version}" }
${labels}`;
    const rules = '    labels: { autoscale.max_cpu: "90", autoscale.max: "6"';
    return this.house.write(
      "compose.yaml",
      [
        ...(this.#isV1 ? [] : [`name: ${this.house.project}`]),
        "services:",
        service("web", `${rules} }`),
        service("keep", `${rules}, autoscale.on_external_change: restore }`),
        service("held", `${rules}, autoscale.on_external_change: hold }`),
        service("db", ""),
      ].join("\n"),
    );
  }

  async compose(...words: string[]): Promise<string> {
    const run = this.#isV1 ? composeV1 : compose;
    const { house } = this;
    const { exitCode, stdout, stderr } = await run(this.#lab, ["-p", house.project, ...words], {
      cwd: house.directory,
    });
    assert.equal(exitCode, 0, `compose ${words.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** What Flyball had to say, one line each, of what it heard of since it was asked last. */
  async said(): Promise<string[]> {
    const lines = await this.house.client.audit(200);
    const news = lines.slice(0, lines.length - this.#lines);
    this.#lines = lines.length;
    return news.map(textOf).sort();
  }

  /** Waits until that was said and the services have these counts, and stay so. */
  async settles(situation: string, said: readonly string[], counts: Counts): Promise<void> {
    const about = () => this.house.output;
    if (said.length > 0) {
      await eventually(
        `${situation}: it is settled`,
        async () => {
          return (await this.house.client.audit(200)).length >= this.#lines + said.length;
        },
        { about, patienceMs: 20_000 },
      );
    } else await sleep(SETTLED_MS);
    assert.deepEqual(await this.said(), [...said].sort(), situation);
    for (const [name, count] of Object.entries(counts)) {
      await eventually(`${situation}: ${name} has ${count}`, () => this.house.has(count, name), {
        about,
        patienceMs: 20_000,
      });
    }
  }

  async scale(...words: string[]): Promise<void> {
    await this.house.must("scale", ...words, "--reason", "the table goes on");
    for (const word of words) {
      const [name = "", count] = word.split("=");
      await this.house.untilHas(Number(count), name);
    }
    await this.said();
  }

  async id(name: string, slot: number): Promise<string> {
    const found = (await this.house.seen(name)).find((replica) => replica.slot === slot);
    assert.ok(found !== undefined, `there is no ${name}-${slot}`);
    return found.id;
  }

  async ids(): Promise<string[]> {
    const seen = await Promise.all(["web", "keep", "held", "db"].map((name) => this.house.seen(name)));
    return seen
      .flat()
      .map(({ id }) => id)
      .sort();
  }

  async holds(name: string): Promise<readonly string[]> {
    return (await this.house.client.service(this.house.serviceId(name))).holds;
  }
}

function textOf({ service, project, who, what, from, to, policy, sentence }: AuditLine): string {
  const subject = (service ?? project).replace(/^fbe2e-\d+-\d+_?/u, "");
  const about = sentence.replaceAll(project, "PROJECT");
  const counts = from === undefined ? what : `${from} -> ${to}`;
  return [subject, who, counts, policy, about]
    .filter((part) => part !== undefined && part !== "")
    .join(" | ");
}

async function open(t: TestContext, lab: LabEngine, isV1: boolean): Promise<Table> {
  const table = new Table(await FlyballHouse.open(t, lab), lab, isV1);
  const file = table.define(1);
  await table.compose("up", "-d");
  await table.house.serve();
  await table.house.must("up", "-p", table.house.project, "-f", file);
  await table.scale("web=3", "keep=3", "held=3");
  return table;
}

const UP_REMOVED = [
  "held | docker compose | 3 -> 1 | hold | docker compose up removed held-2 and held-3; left at 1, not 3, until it is scaled",
  "keep | docker compose | 3 -> 3 | restore | docker compose up removed keep-2 and keep-3; put back to 3",
  "web | docker compose | 3 -> 1 | adopt | docker compose up removed web-2 and web-3; goes on from 1",
];

/** What compose does to the replicas that Flyball has added, with either of its releases. */
async function composeTakesTurns(table: Table): Promise<void> {
  const { house } = table;
  await table.compose("up", "-d");
  await table.settles("up, as the file says", UP_REMOVED, { web: 1, keep: 3, held: 1, db: 1 });
  assert.match((await table.holds("held")).join("\n"), /left at 1, not 3, until it is scaled/);
  assert.deepEqual(await house.counts("held"), { desired: 3, ready: 1 });

  await table.scale("web=3", "held=3");
  assert.deepEqual(await table.holds("held"), []);
  const listed = await table.compose("ps");
  for (const slot of [1, 2, 3]) assert.match(listed, new RegExp(`[-_]web[-_]${slot}\\b`, "u"));
  const before = await table.ids();
  await table.compose("up", "-d", "--scale", "web=3", "--scale", "keep=3", "--scale", "held=3");
  await table.compose("up", "-d", "db");
  await table.compose("restart", "-t", "1", "web");
  await table.settles("up with the counts that are there, up of another, restart", [], {
    web: 3,
    keep: 3,
    held: 3,
  });
  assert.deepEqual(await table.ids(), before, "nothing was made anew");

  await table.compose("up", "-d", "--scale", "web=5", "--scale", "keep=2", "--scale", "held=4");
  await table.settles(
    "up with other counts",
    [
      "held | docker compose | 3 -> 4 | hold | docker compose up --scale held=4 started held-4; left at 4, not 3, until it is scaled",
      "keep | docker compose or somebody | 3 -> 3 | restore | docker compose up --scale keep=2, or somebody, removed keep-3; put back to 3",
      "web | docker compose | 3 -> 5 | adopt | docker compose up --scale web=5 started web-4 and web-5; goes on from 5",
    ],
    { web: 5, keep: 3, held: 4, db: 1 },
  );

  await composeUpdates(table);
  await table.compose("down");
  await table.settles(
    "down",
    [
      "docker compose | down | docker compose down took PROJECT away; left alone until docker compose up brings it back",
    ],
    {},
  );
  assert.deepEqual(await table.ids(), []);
  assert.deepEqual(await house.leftInDocker(), [], "nothing is put back");
  assert.match((await table.holds("web")).join("\n"), /docker compose down took .* away/);

  await table.compose("up", "-d");
  await eventually("it is taken up again", async () => (await table.holds("web")).length === 0, {
    about: () => house.output,
  });
  await table.said();
  await table.scale("web=2");
}

async function composeUpdates(table: Table): Promise<void> {
  const { house } = table;
  table.define(2);
  await table.compose("up", "-d");
  await table.settles(
    "up of another definition",
    [
      "held | docker compose | 4 -> 1 | hold | docker compose up removed held-2, held-3 and held-4; left at 1, not 4, until it is scaled",
      "keep | docker compose | 3 -> 3 | restore | docker compose up removed keep-2 and keep-3; put back to 3",
      "web | docker compose | 5 -> 1 | adopt | docker compose up removed web-2, web-3, web-4 and web-5; goes on from 1",
    ],
    { web: 1, keep: 3, held: 1, db: 1 },
  );
  for (const id of await table.ids()) {
    const { Config } = await house.docker.getContainer(id).inspect();
    assert.ok(Config.Env.includes("V=2"), "what was added follows the new definition");
  }
}

/** What a person does past Flyball. */
async function peopleTakeTurns(table: Table): Promise<void> {
  const { house } = table;
  const container = async (name: string, slot: number) =>
    house.docker.getContainer(await table.id(name, slot));
  for (const name of ["web", "keep", "held"]) await (await container(name, 2)).remove({ force: true });
  // A crash, and what looks like one, in the same moment.
  const { State } = await (await container("db", 1)).inspect();
  process.kill(State.Pid, "SIGKILL");
  await table.settles(
    "docker rm -f, and a crash",
    [
      "held | somebody | 3 -> 2 | hold | somebody removed held-2; left at 2, not 3, until it is scaled",
      "keep | somebody | 3 -> 3 | restore | somebody removed keep-2; put back to 3",
      "web | somebody | 3 -> 2 | adopt | somebody removed web-2; goes on from 2",
    ],
    { web: 2, keep: 3, held: 2, db: 1 },
  );

  await table.scale("web=3", "held=3");
  await Promise.all([
    (await container("web", 1)).stop(),
    (await container("keep", 1)).stop(),
    (await container("held", 1)).kill(),
    (await container("db", 1)).remove({ force: true }),
  ]);
  await table.settles(
    "docker stop, docker kill, and docker rm -f of what has no rules",
    [
      "db | somebody | 1 -> 1 | restore | somebody removed db-1; put back to 1",
      "keep | somebody | 3 -> 3 | restore | somebody stopped keep-1; put back to 3",
      "web | somebody | 3 -> 2 | adopt | somebody stopped web-1; goes on from 2",
    ],
    { keep: 3, held: 3, db: 1 },
  );
  assert.deepEqual(
    (await house.seen("web")).map(({ slot, running }) => `${slot} ${running}`).sort(),
    ["1 false", "2 true", "3 true"],
    "it stays stopped, and none is made in its place",
  );

  await (await container("web", 1)).start();
  await imitate(table, "keep", 7);
  await table.settles(
    "docker start, and docker run of one that looks like a replica",
    [
      "keep | somebody | 3 -> 3 | restore | somebody started keep-7; put back to 3",
      "web | somebody | 2 -> 3 | adopt | somebody started web-1; goes on from 3",
    ],
    { web: 3, keep: 3, held: 3, db: 1 },
  );

  await table.compose("stop", "-t", "1");
  const stopped = (name: string, count: number) =>
    `${name} | somebody | ${count} -> 0 | adopt | somebody stopped ${name}`;
  await eventually("it is seen that all was stopped", async () =>
    /left so until something of it is started/.test((await table.holds("web")).join("\n")),
  );
  const said = await table.said();
  for (const [name, count] of [
    ["web", 3],
    ["db", 1],
  ] as const) {
    assert.ok(
      said.some((line) => line.startsWith(stopped(name, count))),
      said.join("\n"),
    );
  }
  await sleep(1_500);
  assert.ok(
    (await house.seen("web")).every(({ running }) => !running),
    "what was stopped is left so",
  );
  await table.compose("start");
  for (const name of ["web", "keep", "held"]) await house.untilHas(3, name);
  await eventually("it is taken up again", async () => (await table.holds("web")).length === 0);
  await table.said();
}

async function imitate({ house }: Table, name: string, slot: number): Promise<void> {
  const label = (key: string) => `com.docker.compose.${key}`;
  const container = await house.docker.createContainer({
    Image: "flyball/busybox:lab",
    Cmd: ["sleep", "1000"],
    Labels: {
      [label("project")]: house.project,
      [label("service")]: name,
      [label("container-number")]: String(slot),
      [label("oneoff")]: "False",
    },
  });
  await container.start();
}

/** What `flyball override` writes lets `docker compose up` find everything as it should be. */
async function overrideKeepsCounts(table: Table): Promise<void> {
  const { house } = table;
  const printed = await house.must("override", house.project);
  assert.match(printed, /^# Written by flyball override: .*\n#.*\nservices:\n {2}held:\n {4}scale: 3$/m);
  await house.must("override", "-p", house.project, "--output", "compose.flyball.yaml");
  await house.must("override", "-p", house.project, "--output", "compose.flyball.yaml");
  const refused = await house.flyball("override", "-p", house.project, "--output", "compose.yaml");
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /^CONFIG_INVALID: .*compose\.yaml was not written by flyball override/m);

  const files = ["-f", "compose.yaml", "-f", "compose.flyball.yaml"];
  const before = await table.ids();
  assert.match(await table.compose(...files, "config"), /scale: 3/);
  await table.compose(...files, "up", "-d");
  await table.settles("up with the override", [], { web: 3, keep: 3, held: 3, db: 1 });
  assert.deepEqual(await table.ids(), before, "nothing was removed and nothing made anew");
}

describe("who owns the count", { concurrency: 2 }, () => {
  for (const lab of skip === false ? engines : []) {
    describe(`on Docker ${lab.name}`, { concurrency: 2 }, () => {
      // Each with the engine of its time: 1.29 fails over what engines from 25 on no longer say of an image. How each gets
      // on with the other engine is in the compose table.
      if (lab.name === "20.10") {
        test("compose 1.29.2: what it does is told, and settled by each policy; an override keeps the counts", async (t) => {
          const table = await open(t, lab, true);
          await overrideKeepsCounts(table);
          await composeTakesTurns(table);
        });
      } else {
        test("compose 2.26.1: the same, and it is told when it recreates nothing", async (t) => {
          const table = await open(t, lab, false);
          await overrideKeepsCounts(table);
          await table.compose("up", "-d", "--no-recreate");
          await table.settles("up that recreates nothing", UP_REMOVED, { web: 1, keep: 3, held: 1, db: 1 });
          await table.scale("web=3", "held=3");
          await composeTakesTurns(table);
        });
      }

      test("people: what they do is told from crashes, and settled by each policy", async (t) => {
        await peopleTakeTurns(await open(t, lab, false));
      });
    });
  }
});
