import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type LabEngine, labEngines, skipWithoutCompose, skipWithoutEngine } from "../lab/engines.ts";
import { freePort } from "../lab/free-port.ts";
import {
  type Counts,
  type Making,
  Neighbours,
  type Odd,
  PLAIN,
  type Release,
  without,
} from "./compose-neighbours.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines) || skipWithoutCompose();
if (skip !== false) test("what docker compose does with replicas that it did not make", { skip }, () => {});

const label = (key: string) => `com.docker.compose.${key}`;

/**
 * What `up --scale` with the count that is there does to the second replica. `refused`: compose fails over it · `unseen`:
 * compose does not count it, and makes another.
 */
type Fate = "kept" | "recreated" | "refused" | "unseen";

interface Row {
  readonly situation: string;
  readonly service: string;
  /** How the second replica differs from an exact clone of the first; absent: it is Flyball's own. */
  readonly odd?: Odd;
  readonly making?: Making;
  readonly fate: Readonly<Record<Release, Fate>>;
  /** Where `ps` of compose shows it. */
  readonly shown: Readonly<Record<Release, "ps" | "ps --all" | "nowhere">>;
  /** Whom Flyball takes for the one who made it; absent: Flyball made it. */
  readonly madeBy?: "docker compose" | "somebody";
}

const BOTH_NETWORKS = "    networks: [default, back]";
const KEPT = { "2.26": "kept", "1.29": "kept" } as const;
const RECREATED = { "2.26": "recreated", "1.29": "recreated" } as const;
const SHOWN = { "2.26": "ps", "1.29": "ps" } as const;

/** One service for each situation, so that one `docker compose up` tries them all. */
const ROWS: readonly Row[] = [
  { situation: "an exact clone", service: "exact", fate: KEPT, shown: SHOWN },
  {
    situation: "a network of the service is missing",
    service: "netless",
    odd: (labels) => labels,
    making: { isOnOne: true },
    fate: KEPT,
    shown: SHOWN,
    madeBy: "docker compose",
  },
  {
    situation: "no image label",
    service: "imageless",
    odd: without(label("image")),
    fate: { "2.26": "recreated", "1.29": "kept" },
    shown: SHOWN,
    madeBy: "docker compose",
  },
  {
    situation: "the image label is another's",
    service: "other",
    odd: (labels) => ({ ...labels, [label("image")]: `sha256:${"0".repeat(64)}` }),
    fate: { "2.26": "recreated", "1.29": "kept" },
    shown: SHOWN,
    madeBy: "docker compose",
  },
  {
    situation: "the config hash differs from the file's",
    service: "hash",
    odd: (labels) => ({ ...labels, [label("config-hash")]: "0".repeat(64) }),
    fate: RECREATED,
    shown: SHOWN,
    madeBy: "docker compose",
  },
  {
    situation: "no oneoff label",
    service: "oneoffless",
    odd: without(label("oneoff")),
    fate: { "2.26": "kept", "1.29": "unseen" },
    shown: { "2.26": "ps --all", "1.29": "ps --all" },
    madeBy: "docker compose",
  },
  {
    situation: "a number that is none",
    service: "garbled",
    odd: (labels) => ({ ...labels, [label("container-number")]: "two" }),
    fate: { "2.26": "kept", "1.29": "refused" },
    shown: SHOWN,
    madeBy: "docker compose",
  },
  {
    situation: "no number",
    service: "unnumbered",
    odd: without(label("container-number")),
    fate: { "2.26": "kept", "1.29": "refused" },
    shown: SHOWN,
    madeBy: "somebody",
  },
  {
    situation: "no config hash: invisible, and its name is in the way",
    service: "hashless",
    odd: without(label("config-hash")),
    fate: { "2.26": "refused", "1.29": "recreated" },
    shown: { "2.26": "nowhere", "1.29": "ps" },
    madeBy: "somebody",
  },
];

const all = (count: number, rows: readonly { readonly service: string }[]): Counts =>
  Object.fromEntries(rows.map(({ service }) => [service, count]));

/** The second replica of each service is as its row says, and Flyball adds a third. */
async function oddOnes(on: Neighbours, release: Release): Promise<void> {
  const odd = ROWS.filter((row) => row.odd !== undefined);
  await on.scale({ exact: 2, deployed: 2, alone: 2 });
  await Promise.all(
    odd.map(({ service, odd: change = (labels) => labels, making }) =>
      on.lookAlike(service, 2, change, making),
    ),
  );
  await on.settles(
    "somebody makes a second one",
    odd.map(({ service, madeBy }) => {
      const up = madeBy === "somebody" ? "somebody" : `docker compose up --scale ${service}=2`;
      return `${service} | ${madeBy} | 1 -> 2 | adopt | ${up} started ${service}-2; goes on from 2`;
    }),
    all(2, ROWS),
  );
  const [listed, listedAll] = await Promise.all([on.listed(), on.listed("--all")]);
  for (const { service, situation, shown } of ROWS) {
    const where = listed.includes(`${service}-2`)
      ? "ps"
      : listedAll.includes(`${service}-2`)
        ? "ps --all"
        : "nowhere";
    assert.equal(where, shown[release], situation);
  }
}

/** What compose cannot take for one of its own and fails over is taken away by whoever made it. */
async function composeRefuses(on: Neighbours, refused: readonly Row[]): Promise<void> {
  for (const { service, situation } of refused) {
    const before = await on.ids(service);
    const { exitCode, stderr } = await on.tryCompose("up", "-d", ...on.scales({ [service]: 2 }), service);
    assert.notEqual(exitCode, 0, `${situation}: ${stderr}`);
    assert.deepEqual(await on.ids(service), before, situation);
    await on.remove(service, before.get(2));
  }
}

/** Flyball adds a third of each, and compose is told the counts that are there. */
async function composeUps(on: Neighbours, release: Release, rows: readonly Row[]): Promise<void> {
  const counts = all(3, rows);
  await on.scale(counts);
  await Promise.all(rows.map(({ service }) => on.areAlike(service, 1, 3)));
  const before = new Map<string, ReadonlyMap<number, string>>();
  for (const { service } of rows) before.set(service, await on.ids(service));
  await on.compose("up", "-d", ...on.scales(counts), ...Object.keys(counts));
  const changes: Readonly<Record<Fate, readonly number[]>> = {
    kept: [],
    // Compose 1.29 recreates all of a service or none.
    recreated: release === "1.29" ? [1, 2, 3] : [2],
    unseen: [4],
    refused: [],
  };
  for (const { service, fate, situation } of rows) {
    const [was, is] = [before.get(service), await on.ids(service)];
    const changed = [...is.keys()].filter((slot) => was?.get(slot) !== is.get(slot));
    assert.deepEqual(changed, changes[fate[release]], situation);
  }
}

/** Two ways in which compose 2 takes what is unchanged for another definition. */
async function recreated(on: Neighbours, release: Release): Promise<void> {
  const was = [await on.ids("deployed"), await on.ids("alone")];
  on.define({ deployed: `${PLAIN}\n    deploy: { replicas: 2 }` });
  await on.compose("up", "-d", "deployed");
  await on.compose("up", "-d", "--no-deps", ...on.scales({ alone: 2 }), "alone");
  const is = [await on.ids("deployed"), await on.ids("alone")];
  const changed = [0, 1].map((index) =>
    [1, 2].filter((slot) => was[index]?.get(slot) !== is[index]?.get(slot)),
  );
  const all = release === "2.26" ? [1, 2] : [];
  assert.deepEqual(changed, [all, all]);
}

async function tellTable(t: TestContext, lab: LabEngine, release: Release): Promise<void> {
  const plain = [...ROWS.map(({ service }) => service), "deployed"];
  const on = await Neighbours.open(t, lab, release, plain, {
    exact: BOTH_NETWORKS,
    netless: BOTH_NETWORKS,
    alone: `${PLAIN}\n    depends_on: [exact]`,
    stuck: `    ports: ["127.0.0.1:${await freePort()}:80"]`,
  });
  const refused = ROWS.filter(({ fate }) => fate[release] === "refused");
  const unseen = ROWS.filter(({ fate }) => fate[release] === "unseen");
  const tried = ROWS.filter(
    ({ fate }) => fate[release] !== "refused" && (fate[release] !== "recreated" || on.canRecreate),
  );
  await oddOnes(on, release);
  await composeRefuses(on, refused);
  await composeUps(on, release, tried);
  await recreated(on, release);
  const stuck = await on.tryCompose("up", "-d", ...on.scales({ stuck: 2 }), "stuck");
  assert.notEqual(stuck.exitCode, 0);
  assert.match(stuck.stderr, /port is already allocated/);
  await on.settles(
    "compose is done",
    [
      ...refused.map(
        ({ service }) =>
          `${service} | somebody | 2 -> 1 | adopt | somebody removed ${service}-2; goes on from 1`,
      ),
      ...unseen.map(
        ({ service }) =>
          `${service} | docker compose | 3 -> 4 | adopt | docker compose up --scale ${service}=4 started ${service}-4; goes on from 4`,
      ),
      "stuck | docker compose | 1 -> 1 | adopt | docker compose up --scale stuck=2 started stuck-2; goes on from 1, the nearest to 2 within its bounds",
    ],
    { ...all(3, tried), ...all(4, unseen), ...all(1, refused), deployed: 2, alone: 2, stuck: 1 },
  );
  await on.compose("up", "-d", "stuck");
  await whileAway(on, release);
  await on.compose("down", "-t", "1");
  await on.settles(
    "down",
    [
      "docker compose | down | docker compose down took PROJECT away; left alone until docker compose up brings it back",
    ],
    {},
  );
  assert.deepEqual(await on.house.leftInDocker(), []);
}

async function whileAway(on: Neighbours, release: Release): Promise<void> {
  await on.house.stop();
  await on.compose("up", "-d", ...on.scales({ exact: 4 }), "exact");
  await on.remove("netless", (await on.ids("netless")).get(2));
  // `down` would leave it, and with it the networks.
  await on.remove("oneoffless", (await on.ids("oneoffless")).get(2));
  const oneoffless = release === "1.29" ? 3 : 2;
  // As a daemon leaves it that is killed between two steps, with the labels of its own.
  await on.lookAlike("other", 4, (labels) => labels, { like: 3, starts: false });
  await on.house.serve();
  await on.settles(
    "while away",
    [
      "exact | docker compose or somebody | 3 -> 4 | adopt | docker compose up --scale exact=4, or somebody, started exact-4 while Flyball was not running; goes on from 4",
      "netless | somebody | 3 -> 2 | adopt | somebody removed netless-2 while Flyball was not running; goes on from 2",
      `oneoffless | somebody | ${oneoffless + 1} -> ${oneoffless} | adopt | somebody removed oneoffless-2 while Flyball was not running; goes on from ${oneoffless}`,
    ],
    { exact: 4, netless: 2, oneoffless, other: 3 },
  );
}

describe("the table of what docker compose does with replicas that it did not make", {
  concurrency: 2,
}, () => {
  for (const lab of skip === false ? engines : []) {
    for (const release of ["2.26", "1.29"] as const) {
      test(`compose ${release} on Docker ${lab.name}`, (t) => tellTable(t, lab, release));
    }
  }
});
