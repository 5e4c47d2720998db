import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DAY_MS, formatBytes, formatDuration, parseBytes, parseDurationMs } from "../../core/units.ts";

const UNITS_MS = [
  ["d", DAY_MS],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

test("a duration of at most two units reads back as it was written", () => {
  const amount = fc.record({ unit: fc.nat(2), larger: fc.integer({ min: 1, max: 23 }), smaller: fc.nat(23) });
  fc.assert(
    fc.property(amount, ({ unit, larger, smaller }) => {
      const [, largerMs] = UNITS_MS[unit] ?? assert.fail();
      const [, smallerMs] = UNITS_MS[unit + 1] ?? assert.fail();
      const durationMs = larger * largerMs + smaller * smallerMs;
      assert.equal(parseDurationMs(formatDuration(durationMs)), durationMs);
    }),
  );
});

test("any duration reads back to within the smaller unit that was written", () => {
  fc.assert(
    fc.property(fc.nat(400 * DAY_MS), (durationMs) => {
      const text = formatDuration(durationMs);
      const read = parseDurationMs(text) ?? assert.fail(`${text} cannot be read`);
      const [, smallestMs] = UNITS_MS.find(([unit]) => text.endsWith(unit) && !text.endsWith(`m${unit}`)) ?? [
        "ms",
        1,
      ];
      assert.ok(
        Math.abs(read - durationMs) <= Math.max(smallestMs, 0.5),
        `${durationMs} → ${text} → ${read}`,
      );
    }),
  );
});

test("what a person may write as parts of a duration is their sum", () => {
  const part = fc.tuple(fc.nat(999), fc.constantFrom(...UNITS_MS));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.map(([count, [unit]]) => `${count}${unit}`).join("");
      assert.equal(
        parseDurationMs(text),
        parts.reduce((sum, [count, [, unitMs]]) => sum + count * unitMs, 0),
      );
    }),
  );
});

test("whole KiB, MiB, GiB and TiB read back as they were written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1023 }), fc.integer({ min: 0, max: 4 }), (count, power) => {
      const bytes = count * 1024 ** power;
      assert.equal(parseBytes(formatBytes(bytes)), bytes);
    }),
  );
});

test("any size reads back to within a twentieth of the unit that was written", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 50), (bytes) => {
      const text = formatBytes(bytes);
      const unit = parseBytes(`1${text.split(" ")[1]}`) ?? assert.fail(text);
      const read = parseBytes(text) ?? assert.fail(text);
      assert.ok(Math.abs(read - bytes) <= unit / 20 + 1, `${bytes} → ${text} → ${read}`);
    }),
  );
});

test("readers never throw, and give a finite number or nothing", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,400} ?[a-zµ]{0,3}$/)), (text) => {
      for (const read of [parseDurationMs, parseBytes]) {
        const value = read(text);
        assert.ok(value === undefined || (Number.isFinite(value) && value >= 0), `${text} → ${value}`);
      }
    }),
  );
});
