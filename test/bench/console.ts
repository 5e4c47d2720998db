import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../lab/chromium.ts";
import { ConsoleStage } from "./console-stage.ts";
import { type Bench, type Figure, type Goal, percentile } from "./figure.ts";

const CONSOLE = join(import.meta.dirname, "../../dashboards/console");
const VISITS = { long: 15, quick: 3 };
const WATCHED_MS = { long: 15_000, quick: 4_000 };
const SERVICES = 200;
const MANY_SERVICES = 1_000;
const SMOOTH: Goal = { is: "at least", value: 50 };
const SOON: Goal = { is: "below", value: 1_000 };
/** A frame of a screen that shows 60 in a second, and some. */
const LONG_FRAME_MS = 50;

/** What a person's browser has to do: how soon something is seen, and whether it stays smooth while all of it moves. */
export const benchConsole: Bench = async (say, { quick }) => {
  const length = quick ? "quick" : "long";
  const watchedMs = WATCHED_MS[length];
  execFileSync(process.execPath, [join(CONSOLE, "build.ts")]);
  await using browser = await launchChromium();
  const figures = [gzipSize()];
  {
    await using stage = await ConsoleStage.open(SERVICES);
    const { address } = stage;
    const visits: Painted[] = [];
    for (let left = VISITS[length]; left > 0; left -= 1) visits.push(await visitOnce(browser, address));
    say(`${SERVICES} services: ${visits.length} first visits`);
    figures.push(...paintFigures(visits));
    const watch = { browser, watchedMs, goal: SMOOTH };
    figures.push(...(await frames({ ...watch, address, name: "200 live" })));
    figures.push(...(await frames({ ...watch, address, name: "200 live, scrolling", each: SCROLL })));
    figures.push(
      ...(await frames({ ...watch, address: `${address}/#/nodes`, name: "200 live, all replicas" })),
    );
  }
  say(`${MANY_SERVICES} services`);
  await using many = await ConsoleStage.open(MANY_SERVICES);
  const { address } = many;
  figures.push(...(await frames({ browser, watchedMs, address, name: "1,000 live" })));
  figures.push(
    ...(await frames({ browser, watchedMs, address, name: "1,000 live, scrolling", each: SCROLL })),
  );
  return figures;
};

function paintFigures(visits: readonly Painted[]): Figure[] {
  const paints = visits.map(({ paintMs }) => paintMs);
  const tiles = visits.map(({ tilesMs }) => tilesMs);
  return [
    { name: "first paint, p50", value: percentile(paints, 0.5), unit: "ms", goal: SOON },
    { name: "first paint, slowest", value: Math.max(...paints), unit: "ms", goal: SOON },
    { name: "first tiles, p50", value: percentile(tiles, 0.5), unit: "ms" },
  ];
}

/** All that a first visit loads, as it is sent to who reads gzip. */
function gzipSize(): Figure {
  const dist = join(CONSOLE, "dist");
  const packed = readdirSync(dist).filter((name) => name.endsWith(".gz"));
  const bytes = packed.reduce((total, name) => total + statSync(join(dist, name)).size, 0);
  return {
    name: "page, script and style, gzip",
    value: bytes / 1_024,
    unit: "KiB",
    goal: { is: "at most", value: 80 },
  };
}

interface Painted {
  readonly paintMs: number;
  readonly tilesMs: number;
}

/** With nothing kept from before. */
async function visitOnce(browser: Browser, address: string): Promise<Painted> {
  const page = await opened(browser, address);
  await page.locator(".tile").first().waitFor();
  const painted: Painted = await page.evaluate(
    "({ paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime, tilesMs: performance.now() })",
  );
  await page.context().close();
  return painted;
}

async function opened(browser: Browser, address: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

const SCROLL = "scrollBy(0, Math.sin(performance.now() / 700) * 40);";

interface Watch {
  readonly browser: Browser;
  readonly address: string;
  readonly name: string;
  readonly watchedMs: number;
  /** Done in each frame. */
  readonly each?: string;
  /** Frames per second. */
  readonly goal?: Goal;
}

async function frames({ browser, address, name, watchedMs, each = "", goal }: Watch): Promise<Figure[]> {
  const page = await opened(browser, address);
  await page.locator(".tile, .map li").first().waitFor();
  const spans: number[] = await page.evaluate(`new Promise((resolve) => {
    const spans = [];
    const begin = performance.now();
    let last = begin;
    const frame = (now) => {
      spans.push(now - last);
      last = now;
      ${each}
      if (now - begin < ${watchedMs}) requestAnimationFrame(frame);
      else resolve(spans.slice(1));
    };
    requestAnimationFrame(frame);
  })`);
  await page.context().close();
  const totalMs = spans.reduce((sum, span) => sum + span, 0);
  const long = spans.filter((span) => span > LONG_FRAME_MS);
  const rate = { name: `${name}: frames per second`, value: (spans.length * 1_000) / totalMs, unit: "/s" };
  return [
    goal === undefined ? rate : { ...rate, goal },
    { name: `${name}: slowest frame`, value: Math.max(...spans), unit: "ms" },
    {
      name: `${name}: frames over ${LONG_FRAME_MS} ms`,
      value: (long.length / spans.length) * 100,
      unit: "%",
    },
  ];
}
