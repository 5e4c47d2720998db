import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  formatInstant,
  renderDecisions,
  renderProjectAnswer,
  renderScale,
  renderService,
  renderServices,
} from "../../cli/render.ts";
import { renderTable } from "../../cli/table.ts";
import { plainPaint } from "../../cli/terminal.ts";
import { db, decision, NOW_MS, projectAnswer, web, webDetail } from "./documents.ts";

const plain = { paint: plainPaint };

function lines(...texts: string[]): string {
  return texts.join("\n");
}

describe("what the command prints", () => {
  test("services: one line each, and a dash for what is not known", () => {
    assert.equal(
      renderServices([web, db], NOW_MS, plain),
      lines(
        "SERVICE   READY  BOUNDS  CPU   MEMORY  AUTOSCALE           LAST DECISION",
        "shop_web  2/4    1..4    91 %  20 %    cpu > 70 %, step 2  14s ago: CPU at 91 % is above 70 %: 2 more replicas, up to the bound of 4",
        "shop_db   1/1    -       -     -       -                   -",
      ),
    );
  });

  test("a service that its rules do not scale now says so", () => {
    const shown = (changes: object) => {
      const autoscale = { maxCpuRatio: 0.7, step: 2, dryRun: false, ...changes };
      return renderServices([{ ...web, autoscale }], NOW_MS, plain);
    };
    assert.doesNotMatch(shown({ mode: "live" }), /live/);
    assert.match(shown({ mode: "paused" }), /cpu > 70 %, step 2, paused/);
    assert.match(shown({ mode: "shadow", dryRun: true }), /cpu > 70 %, step 2, dry run, shadow/);
  });

  test("no services: how to get some", () => {
    assert.match(renderServices([], NOW_MS, plain), /flyball up/);
  });

  test("a service: its replicas by slot, what is held and what is not enforced", () => {
    assert.equal(
      renderService(webDetail, NOW_MS, plain),
      lines(
        "shop_web: 1 of 2 replicas ready",
        "SLOT  REPLICA     STATE         CPU         MEMORY  UP     ADDRESS",
        "1     shop-web-1  running       0.46 cores  12 MiB  1m30s  127.0.0.1:40001->8080",
        "2     shop-web-2  exited (137)  -           -       -      -",
        "hold: shop-web-3 is kept: its state is unknown",
        "not enforced: memory limit",
        "last decision: 14s ago: CPU at 91 % is above 70 %: 2 more replicas, up to the bound of 4",
      ),
    );
  });

  test("decisions: when, what, which limits, and why", () => {
    const held = { ...decision, atMs: NOW_MS, to: 2, limits: [], sentence: "held at 2" };
    assert.equal(
      renderDecisions([held, decision], plain),
      lines(
        "TIME                  REPLICAS  LIMITS  WHY",
        "2026-11-21T08:00:00Z  2         -       held at 2",
        "2026-11-21T07:59:46Z  2 -> 4    max     CPU at 91 % is above 70 %: 2 more replicas, up to the bound of 4",
      ),
    );
    assert.equal(renderDecisions([], plain), "no decisions");
  });

  test("a plan: each step with its cause", () => {
    assert.equal(
      renderProjectAnswer({ ...projectAnswer, holds: ["shop-db-1 is kept"] }, false, plain),
      lines(
        "shop: 2 services, 2 steps to do",
        "STEP               WHY",
        "create shop-web-1  shop_web has 0 of 2 replicas",
        "create shop-web-2  shop_web has 0 of 2 replicas",
        "hold: shop-db-1 is kept",
      ),
    );
    const none = { ...projectAnswer, services: ["shop_web"], plan: [] };
    assert.equal(renderProjectAnswer(none, true, plain), "shop: 1 service, nothing to do");
  });

  test("a change of scale, and one that changed nothing", () => {
    assert.equal(renderScale({ service: "shop_web", from: 2, to: 5 }), "shop_web: 2 -> 5");
    assert.equal(renderScale({ service: "shop_web", from: 5, to: 5 }), "shop_web: 5 as before");
  });

  test("an instant is printed as --at reads it", () => {
    assert.equal(formatInstant(NOW_MS + 999), "2026-11-21T08:00:00Z");
  });

  test("the last column is cut to the terminal, the others never", () => {
    const rows = [["shop_web", "a sentence that is longer than the terminal"]];
    assert.equal(
      renderTable(["SERVICE", "WHY"], rows, { ...plain, columns: 24 }),
      lines("SERVICE   WHY", "shop_web  a sentence th…"),
    );
    assert.match(renderTable(["SERVICE", "WHY"], rows, { ...plain, columns: 4 }), /shop_web {2}a sentence …/);
  });

  test("styles do not move columns", () => {
    const paint = (style: string, text: string) => `<${style}>${text}</>`;
    assert.equal(
      renderTable(["A", "B"], [[{ text: "x", style: "red" }, "y"]], { paint }),
      lines("<dim>A</>  <dim>B</>", "<red>x</>  y"),
    );
  });

  test("a name cannot steer the terminal", () => {
    const hostile = { ...db, id: "shop_\u001b[2Jdb\u0007\r" };
    assert.doesNotMatch(renderServices([hostile], NOW_MS, plain), /[\p{Cc}--\n]/v);
  });
});
