import { describe, type TestContext, test } from "node:test";
import { Arena } from "../chaos/arena.ts";
import { cutPoints } from "../chaos/cut.ts";
import type { Ground } from "../chaos/ground.ts";
import { handsPoints } from "../chaos/hands.ts";
import { killPoints } from "../chaos/kill.ts";
import { seeded } from "../chaos/random.ts";
import { Tally } from "../chaos/tally.ts";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";

/** A short part of `npm run chaos`, the same at every run. */
const SEED = 20_261_121;
const END_LIMIT_MS = 120_000;
const PARTS = [
  ["killed", killPoints, 2],
  ["cut off", cutPoints, 2],
  ["disturbed by hand", handsPoints, 1],
] as const;

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("chaos on a Docker Engine", { skip }, () => {});

async function survive(t: TestContext, ground: Ground): Promise<void> {
  const arena = await Arena.open(t, ground);
  await arena.serve();
  const random = seeded(SEED);
  for (const [what, disturb, points] of PARTS) {
    const tally = new Tally(what, ground.name);
    await disturb({ arena, random, points, tally });
    t.diagnostic(tally.line(0));
  }
  await arena.close(END_LIMIT_MS);
}

describe("a daemon that is killed, cut off and worked against in the middle of its plans", {
  concurrency: 3,
}, () => {
  const grounds = [
    { name: "process", isOwn: true },
    ...engines.map((lab) => ({ name: lab.name, lab, isOwn: false })),
  ];
  for (const ground of grounds) {
    test(`comes to the desired state on ${ground.name}, stays there, and leaves nothing behind`, (t) =>
      survive(t, ground));
  }
});
