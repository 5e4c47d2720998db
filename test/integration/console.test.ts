import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium, skipWithoutChromium } from "../lab/chromium.ts";
import { busyService, eventually, FlyballHouse } from "./flyball-daemon.ts";

const PATIENCE_MS = 30_000;
const BUILD = join(import.meta.dirname, "../../dashboards/console/build.ts");
const DIST = join(import.meta.dirname, "../../dashboards/console/dist");
const MOST_BYTES = 80 * 2 ** 10;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TOKEN = "a-token-that-is-long-enough";
const HTML = '<img src=x onerror="window.hacked=1"><b>bold</b>';

const IDLE = "trap 'exit 0' TERM; sleep 1000 & wait";
const SERVICES = `${busyService("1h", [`business.team: '${HTML}'`])}  plain:
    image: flyball/busybox:lab
    command: ["sh", "-c", "${IDLE}"]
    stop_grace_period: 2s
    labels: { alert.replicas: "< 3 for 0s keep 0s critical" }
`;

test("the console", async (t) => {
  if (skipWithoutChromium(t)) return;
  execFileSync(process.execPath, [BUILD]);
  await using browser = await launchChromium();
  const house = await FlyballHouse.open(t);
  const file = house.compose(SERVICES);
  await house.serve();
  await house.must("up", "-d", "-f", file);
  await house.untilHas(1);
  const page = await openPage(browser, house.address);

  await t.test("shows a tile for each service, and asks nobody else for anything", async () => {
    await tile(page, "web").waitFor();
    await tile(page, "plain").waitFor();
    assert.deepEqual(await page.locator(".tiles h2 a").allTextContents(), ["plain", "web"].toSorted());
    await page.getByText("Live", { exact: true }).waitFor();
    assert.deepEqual(page.foreign, []);
    const packed = readdirSync(DIST).filter((name) => name.endsWith(".gz"));
    const bytes = packed.reduce((total, name) => total + statSync(join(DIST, name)).size, 0);
    assert.ok(bytes > 0 && bytes <= MOST_BYTES, `page, script and style are ${bytes} bytes, gzip`);
  });

  await t.test("a service that is busy scales on screen, and the decision is on the timeline", async () => {
    house.write("busy", "");
    await until(page, "the tile counts three", async () => /^3/.test(await replicas(page, "web")));
    await page
      .locator("aside .timeline")
      .getByText(/→ \d: cpu/)
      .first()
      .waitFor();
    await page.goto(`${house.address}/#/service/${house.serviceId()}`);
    await page.locator(".chart canvas").waitFor();
    await page
      .locator(".changes")
      .getByText(/→ 3: cpu/)
      .first()
      .click();
    await page.getByRole("heading", { name: /^Why, at/ }).waitFor();
    await page
      .locator(".big-sentence")
      .getByText(/→ 3: cpu/)
      .waitFor();
    assert.equal(await page.locator(".explain table tbody th").first().textContent(), "cpu");
  });

  await t.test("what somebody else has written stays text", async () => {
    await page.locator(".title .label").getByText(`team: ${HTML}`, { exact: true }).waitFor();
    assert.equal(await page.locator("#page img, #page .label b").count(), 0);
    assert.equal(await page.evaluate("window.hacked"), undefined);
  });

  await t.test("a person scales by hand, says why, and pauses the rules", async () => {
    await page.goto(`${house.address}/#/service/${house.serviceId("plain")}`);
    await page.getByRole("heading", { level: 1, name: "plain" }).waitFor();
    await page.getByRole("button", { name: "One more" }).click();
    await page.getByLabel("Reason").fill(`sale ${HTML}`);
    await page.getByRole("button", { name: "Scale", exact: true }).click();
    await page.getByText("1 → 2", { exact: true }).waitFor();
    await house.untilHas(2, "plain");
    await page.locator(".timeline .hand").getByText(`sale ${HTML}`).first().waitFor();
    assert.equal(await page.locator("#page img, .timeline b").count(), 0);
    const [line] = (await house.client.audit(1)) ?? [];
    assert.match(line?.sentence ?? "", /sale/);

    await page.goto(`${house.address}/#/service/${house.serviceId()}`);
    await page.getByRole("button", { name: "Paused", exact: true }).click();
    await page.getByText(/^now paused/).waitFor();
    await until(page, "the daemon has paused them", async () => {
      const { autoscale } = await house.client.service(house.serviceId());
      return autoscale?.mode === "paused";
    });
    await page.getByRole("button", { name: "Paused", pressed: true }).waitFor();
    await page.getByRole("button", { name: "Live", exact: true }).click();
    await page.getByRole("button", { name: "Live", pressed: true }).waitFor();
    await page.getByLabel("Keep it").selectOption("for 10 minutes");
    await page.getByRole("button", { name: "Scale", exact: true }).click();
    await page.getByText(/^stays at 3, held until \d\d:/).waitFor();
  });

  await t.test("an alert is silenced, and the silence is ended", async () => {
    await page.goto(`${house.address}/#/alerts`);
    const card = page.locator(".alerts > .alert.firing").filter({ hasText: house.serviceId("plain") });
    await card.waitFor();
    await card.getByRole("button", { name: /^Acknowledge or silence/ }).click();
    await card.getByLabel("Your name").fill("ann");
    await card.getByLabel("Comment").fill(HTML);
    await card.getByRole("button", { name: "Silence for" }).click();
    await card.getByText(/^silence /).waitFor();
    const silences = await house.client.silences();
    assert.deepEqual(
      silences.map(({ author, comment, alerts }) => ({ author, comment, alerts })),
      [{ author: "ann", comment: HTML, alerts: 1 }],
    );
    await page.getByText(`ann: ${HTML}`, { exact: true }).waitFor();
    await page.getByRole("button", { name: "End it" }).click();
    await page.getByText("Nothing is kept quiet.").waitFor();
  });

  await t.test(
    "nothing on any page stands in the way of who cannot see or point, in dark and in light",
    async () => {
      for (const colorScheme of ["dark", "light"] as const) {
        await page.emulateMedia({ colorScheme });
        for (const place of ["", "alerts", "timeline", "nodes", `service/${house.serviceId()}`]) {
          await page.goto(`${house.address}/#/${place}`);
          await page.locator("main h1, main h2, main .tiles").first().waitFor();
          assert.deepEqual(await violations(page), [], `${place} in ${colorScheme}`);
        }
      }
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto(`${house.address}/#/`);
      await tile(page, "web").waitFor();
      assert.deepEqual(await violations(page), [], "on a phone");
      const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
      assert.deepEqual(widths, [390, 390], "nothing is wider than a phone");
      await page.setViewportSize({ width: 1440, height: 900 });
    },
  );

  await t.test("the keyboard is enough", async () => {
    await page.goto(`${house.address}/#/`);
    await tile(page, "web").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("web");
    await tile(page, "plain").waitFor({ state: "detached" });
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate("document.activeElement.closest('.tile') !== null")) === true) break;
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "web" }).waitFor();
    await page.goBack();
    await page.getByRole("searchbox").fill("");
    await tile(page, "plain").waitFor();
  });

  await t.test(
    "a daemon that was killed is said to be away, and its figures old, until it is there again",
    async () => {
      await page.goto(`${house.address}/#/`);
      await house.kill();
      await page.getByText("The daemon does not answer.").waitFor();
      await page.getByText(/The figures are \d+s old/).waitFor();
      assert.deepEqual(await violations(page), []);
      await house.serve();
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByText("The daemon does not answer.").waitFor({ state: "detached" });
      await page
        .locator("aside .timeline")
        .getByText("connected again: the daemon was started anew")
        .waitFor();
      await until(page, "it counts again", async () => /^\d/.test(await replicas(page, "plain")));
      await house.must("scale", "plain=1");
      await until(page, "figures come again", async () => /^1/.test(await replicas(page, "plain")));
    },
  );

  await t.test("a thousand services are found, scrolled and seen", async () => {
    const crowd = Array.from(
      { length: 1_000 },
      (_, index) => `  s${index}: { image: flyball/busybox:lab, command: ["true"], scale: 0 }`,
    );
    const many = house.write("many.yaml", `name: ${house.project}-many\nservices:\n${crowd.join("\n")}\n`);
    await house.must("up", "-d", "-f", many);
    await page.getByText("1,002 services", { exact: true }).waitFor();
    const drawn = await page.locator(".tile").count();
    assert.ok(drawn < 80, `only what is seen is drawn: ${drawn} tiles`);
    await page.mouse.move(400, 500);
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    await tile(page, "s999").waitFor();
    await page.getByRole("searchbox").fill("s777");
    await page.getByText("1 of 1,002 services").waitFor();
    await tile(page, "s777").waitFor();
    assert.deepEqual(await violations(page), []);
  });

  await t.test("a daemon with a token is looked at with it, and with no other", async () => {
    const locked = await FlyballHouse.open(t, undefined, { FLYBALL_TOKEN: TOKEN });
    await locked.serve();
    const visit = await openPage(browser, locked.address);
    await visit.getByLabel("Token").fill("another-token-that-is-long");
    await visit.keyboard.press("Enter");
    await visit.getByText(/not known here/).waitFor();
    assert.deepEqual(await violations(visit), []);
    await visit.getByLabel("Token").fill(TOKEN);
    await visit.keyboard.press("Enter");
    await visit.getByText("Live", { exact: true }).waitFor();
    await visit.getByText("Nothing runs yet.").waitFor();
    await visit.reload();
    await visit.getByText("Live", { exact: true }).waitFor();
    assert.deepEqual(await visit.evaluate("Object.values(localStorage)"), []);
    assert.deepEqual(visit.complaints, []);
  });

  assert.deepEqual(page.complaints, []);
});

interface WatchedPage extends Page {
  /** What the browser complained of, refusals of the policy among it. */
  readonly complaints: readonly string[];
  /** Requests to anybody but the daemon. */
  readonly foreign: readonly string[];
}

async function openPage(browser: Browser, address: string): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "dark" });
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (line) => {
    // What it says of each attempt while the daemon is away, or wants another token.
    const isOfTheNetwork = /net::ERR_|^WebSocket connection|status of (?:401|503)/.test(line.text());
    if (line.type() === "error" && !isOfTheNetwork) complaints.push(line.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) foreign.push(request.url());
  });
  await page.goto(address);
  return Object.assign(page, { complaints, foreign });
}

function tile(page: Page, name: string) {
  return page.locator(".tile").filter({ has: page.getByRole("link", { name, exact: true }) });
}

async function replicas(page: Page, name: string): Promise<string> {
  return (await tile(page, name).locator(".replicas dd").textContent()) ?? "";
}

async function until(page: Page, what: string, look: () => Promise<boolean>): Promise<void> {
  await eventually(what, look, { patienceMs: PATIENCE_MS, about: () => page.url() });
}

/** What axe-core finds, as `rule: where`. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const found: { violations: { id: string; nodes: { target: string[]; failureSummary?: string }[] }[] } =
    await page.evaluate("axe.run()");
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
  );
}
