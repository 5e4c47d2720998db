import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ageText,
  boundsText,
  coresText,
  countText,
  levelText,
  momentText,
  percentText,
} from "../../../dashboards/console/page/state/format.ts";

test("what is not known is a dash, and never nothing or zero", () => {
  for (const text of [percentText(undefined), coresText(undefined), levelText("cpu", undefined)]) {
    assert.equal(text, "–");
  }
  assert.equal(percentText(0), "0");
});

test("ages have one unit", () => {
  const ages = [0, 999, 1_000, 59_999, 60_000, 3_599_000, 3_600_000, 90_000_000];
  assert.deepEqual(ages.map(ageText), ["now", "now", "1s", "59s", "1m", "59m", "1h", "1d"]);
});

test("levels are in the unit of their metric", () => {
  assert.equal(levelText("memory", 0.714), "71 %");
  assert.equal(levelText("latency", 250), "250ms");
  assert.equal(levelText("rps", 1_234.567), "1,234.57");
});

test("a moment of another day names it", () => {
  const noon = new Date(2026, 10, 21, 12, 0, 0).getTime();
  assert.equal(momentText(noon, "2026-11-21"), "12:00:00");
  assert.equal(momentText(noon, "2026-11-22"), "2026-11-21 12:00:00");
});

test("counts and bounds read as a person would say them", () => {
  assert.equal(countText(1, "replica"), "1 replica");
  assert.equal(countText(1_002, "service"), "1,002 services");
  assert.equal(boundsText(1, 8), "1–8");
  assert.equal(boundsText(undefined, 8), "");
});
