import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { PlainLines } from "../../examples/demo/plain.ts";
import { renderScreen, type ScreenState } from "../../examples/demo/screen.ts";

const STATE: ScreenState = {
  engine: "process",
  address: "http://127.0.0.1:4000",
  elapsedMs: 14_000,
  phase: { name: "×3", remainingMs: 15_400, doneRatio: 0.25 },
  answered: [30, 30, 30, 60, 90],
  cpu: [0.45, undefined, 0.44, 0.98, 0.84],
  maxCpuRatio: 0.7,
  replicas: {
    desired: 3,
    min: 1,
    max: 6,
    list: [
      { name: "shop-web-1", state: "running", cpuRatio: 0.98 },
      { name: "shop-web-2", state: "running", cpuRatio: 0.5 },
      { name: "shop-web-3", state: "starting" },
    ],
  },
  decisions: [{ atMs: 12_000, sentence: "CPU 96 % is above 70 %: from 1 to 3" }],
  counts: { requests: 640, failed: 0, retried: 1, inFlight: 4, waiting: 2 },
  latencyMs: { p50: 11.4, p95: 120, p99: 300 },
};

describe("the demo's screen", () => {
  test("shows load, CPU, replicas and the sentence of each decision", () => {
    const lines = renderScreen(STATE, { columns: 80, rows: 40, colour: false });
    assert.deepEqual(lines, [
      "Flyball · shop_web on the process engine · http://127.0.0.1:4000",
      "",
      "phase     ×3         ━━━━━━━━──────────────────────  16 s left",
      "load      90/s    ▃▃▃▆█",
      "cpu       84 %    ▄ ▄█▇  max 70 %",
      "latency   p50 11 ms   p95 120 ms",
      "requests  640 done, 0 failed, 1 retried, 6 under way",
      "",
      "replicas  ■■□···  2 ready, 3 desired, bounds 1..6",
      "  shop-web-1         ████████████████████████████│██████████░   98 %",
      "  shop-web-2         ████████████████████░░░░░░░░│░░░░░░░░░░░   50 %",
      "  shop-web-3         starting",
      "",
      "12.0 s    CPU 96 % is above 70 %: from 1 to 3",
    ]);
  });

  test("colour adds nothing but colour", () => {
    const size = { columns: 80, rows: 40 };
    const coloured = renderScreen(STATE, { ...size, colour: true });
    assert.notDeepEqual(coloured, renderScreen(STATE, { ...size, colour: false }));
    assert.deepEqual(coloured.map(stripVTControlCharacters), renderScreen(STATE, { ...size, colour: false }));
  });

  test("no line is wider than the terminal, down to 33 columns", () => {
    for (const columns of [33, 40, 61, 80, 200]) {
      for (const line of renderScreen(STATE, { columns, rows: 40, colour: true })) {
        assert.ok(stripVTControlCharacters(line).length < columns, `${columns}: ${line}`);
      }
    }
  });

  test("a low terminal gets the upper lines", () => {
    const lines = renderScreen(STATE, { columns: 80, rows: 6, colour: false });
    assert.deepEqual(lines, renderScreen(STATE, { columns: 80, rows: 40, colour: false }).slice(0, 5));
  });

  test("what was not read yet is a question mark and not a zero", () => {
    const { phase: _phase, maxCpuRatio: _max, latencyMs: _latency, ...rest } = STATE;
    const lines = renderScreen({ ...rest, cpu: [], answered: [] }, { columns: 80, rows: 40, colour: false });
    assert.equal(lines[2], "phase     waiting for the first replica");
    assert.equal(lines[4], "cpu       ?       ");
    assert.equal(lines[5], "latency   ?");
  });

  test("a long sentence goes on below itself", () => {
    const sentence = "CPU is 96 % of the limit over 2 s, above 70 %, so two more replicas are started now";
    const lines = renderScreen(
      { ...STATE, decisions: [{ atMs: 900, sentence }] },
      { columns: 61, rows: 40, colour: false },
    );
    assert.deepEqual(lines.slice(-2), [
      "0.9 s     CPU is 96 % of the limit over 2 s, above 70 %, so",
      "          two more replicas are started now",
    ]);
  });
});

describe("the demo's plain lines", () => {
  test("say what changed at once, and how it stands every two seconds", () => {
    const lines: string[] = [];
    const view = new PlainLines((line) => lines.push(line));
    const calm = { ...STATE, decisions: [], elapsedMs: 0, phase: { ...STATE.phase, name: "calm" } };
    view.draw(calm as ScreenState);
    view.draw({ ...calm, elapsedMs: 200 } as ScreenState);
    view.draw({ ...calm, elapsedMs: 2_000 } as ScreenState);
    view.draw({ ...STATE, elapsedMs: 2_200 });
    const standing = "  90/s   cpu   84 %   p95   120 ms   0 failed   2 of 3 replicas ready";
    assert.deepEqual(lines, [
      "  0.0 s  phase calm",
      `  0.0 s  ${standing}`,
      `  2.0 s  ${standing}`,
      "  2.2 s  phase ×3",
      "  2.2 s  CPU 96 % is above 70 %: from 1 to 3",
      `  2.2 s  ${standing}`,
    ]);
  });
});
