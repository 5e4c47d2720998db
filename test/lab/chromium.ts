import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { type Browser, chromium } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";
const NO_CHROMIUM = "no Chromium: run `npm run lab -- up`";

/** No GPU, no sandbox (the lab is root), and nothing that it would do on its own. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Debian's Chromium with a profile of its own, which ends with the browser. */
export function launchChromium(): Promise<Browser> {
  if (!existsSync(PROGRAM)) throw new Error(NO_CHROMIUM);
  return chromium.launch({ executablePath: PROGRAM, args: [...ARGUMENTS] });
}

/**
 * True, and the test is skipped, where there is no Chromium. With `FLYBALL_REQUIRE_ENGINE=1`, which says that the lab must be
 * there, it throws the reason instead.
 */
export function skipWithoutChromium(t: Pick<TestContext, "skip">): boolean {
  if (existsSync(PROGRAM)) return false;
  if (process.env["FLYBALL_REQUIRE_ENGINE"] === "1") throw new Error(NO_CHROMIUM);
  t.skip(NO_CHROMIUM);
  return true;
}
