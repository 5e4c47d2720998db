import { setTimeout as sleep } from "node:timers/promises";
import { Aims } from "./aims.ts";
import type { Arena } from "./arena.ts";
import { type ChaosPlan, floorOf, nextPlan } from "./plans.ts";
import { atRecordStep } from "./record-steps.ts";
import { Sampler } from "./sampler.ts";
import { type Stage, TAKES_MS } from "./stage.ts";
import type { Aim } from "./stepped-socket.ts";

const KILL_LIMIT_MS = 120_000;
/** A plan that took its course without having been struck is over after this. */
const COURSE_LIMIT_MS = 30_000;
const CALM_MS = 300;

/** Kills the daemon in the middle of one plan after the other, starts it again, and has the judge look. */
export async function killPoints({ arena, random, points, tally }: Stage): Promise<void> {
  const aims = new Aims();
  for (let point = 1; point <= points; point += 1) {
    const plan = nextPlan(random, arena.wanted);
    const aim = point % 2 === 0 ? aims.next(plan.kind) : undefined;
    const delayMs = Math.floor(random.next() * TAKES_MS[plan.kind] * (arena.socket === undefined ? 0.4 : 1));
    const when = aim === undefined ? `${delayMs} ms into it` : `at its step ${aim.step}, ${aim.moment}`;
    const what = arena.told(`kill ${point}`, plan, `killed ${when}`);
    await using sampler = new Sampler(arena.house);
    const { acknowledged, inPlan } = await killIn(arena, plan, aim, delayMs);
    if (aim !== undefined && inPlan) aims.hit(plan.kind, aim);
    if (aim !== undefined && !inPlan) aims.missed(plan.kind);
    tally.count(inPlan ? "in the middle of a plan" : "just after one");

    const startedMs = performance.now();
    await arena.serve();
    if (random.next() < 0.2) {
      await sleep(random.between(0, 600));
      await arena.house.kill();
      await arena.serve();
      tally.count("killed again while it repaired");
    }
    const readyMs = performance.now() - startedMs;
    const acceptable: [typeof plan.to, ...(typeof plan.to)[]] = acknowledged
      ? [plan.to]
      : [plan.to, plan.from];
    const tookMs = await arena.settle(acceptable, what, KILL_LIMIT_MS);
    const fewest = await sampler.stop();
    if (fewest < floorOf(plan))
      throw await arena.failure(
        what,
        `${fewest} of web ran at the fewest, expected ${floorOf(plan)} throughout`,
      );
    tally.recovered(readyMs + tookMs, what);
  }
  if (arena.socket !== undefined) tally.count("different steps and moments", aims.covered);
}

async function killIn(
  arena: Arena,
  plan: ChaosPlan,
  aim: Aim | undefined,
  delayMs: number,
): Promise<{ acknowledged: boolean; inPlan: boolean }> {
  const { house, socket } = arena;
  const struck = Promise.withResolvers<"struck">();
  let killing: Promise<void> | undefined;
  const strike = (): void => {
    killing ??= house.kill();
    struck.resolve("struck");
  };
  using released = new DisposableStack();
  if (aim === undefined) {
    const timer = setTimeout(strike, delayMs);
    released.defer(() => clearTimeout(timer));
  } else if (socket !== undefined) {
    socket.aim(aim, strike);
    released.defer(() => socket.aim());
  } else released.use(atRecordStep(house, aim.step, strike));
  const asked = arena.ask(plan);
  const ranItsCourse = new AbortController();
  const end = await Promise.race([struck.promise, courseOf(arena, plan, asked, ranItsCourse.signal)]);
  ranItsCourse.abort();
  strike();
  await killing;
  return { acknowledged: await asked, inPlan: end === "struck" };
}

/** Resolves when the plan is done and some time has passed. */
async function courseOf(
  arena: Arena,
  { to }: ChaosPlan,
  asked: Promise<boolean>,
  signal: AbortSignal,
): Promise<"over"> {
  await asked;
  const deadlineMs = performance.now() + COURSE_LIMIT_MS;
  while (!signal.aborted && performance.now() < deadlineMs) {
    if ((await arena.wrong(to).catch(() => "unseen")) === undefined) break;
    await sleep(CALM_MS / 3);
  }
  if (!signal.aborted) await sleep(CALM_MS);
  return "over";
}
