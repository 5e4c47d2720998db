import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type AlertBook, EMPTY_BOOK, type EvaluationOutput, evaluate } from "../../alerts/evaluate.ts";
import type { Silence } from "../../alerts/suppression.ts";
import type { Notification } from "../../core/alert.ts";
import { facts, finding, NOW_MS, route, rule } from "../alerts/builders.ts";

/** What is seen of each of three subjects at one moment; `gone`: it is not there; `blind`: nobody could look at all. */
type Sight = "true" | "false" | "unknown" | "gone";
interface MomentSeen {
  readonly afterMs: number;
  readonly sights: readonly Sight[];
  readonly isBlind: boolean;
  readonly isSilenced: boolean;
}

const SUBJECTS = ["a", "b", "c"];
const sight = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Sight>("true") },
  { weight: 3, arbitrary: fc.constant<Sight>("false") },
  { weight: 2, arbitrary: fc.constant<Sight>("unknown") },
  { weight: 1, arbitrary: fc.constant<Sight>("gone") },
);
const moment: fc.Arbitrary<MomentSeen> = fc.record({
  afterMs: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(500, 1_000, 1_500) },
    { weight: 1, arbitrary: fc.constantFrom(-3_000, 0, 20_000, 3_600_000) },
  ),
  sights: fc.tuple(sight, sight, sight),
  isBlind: fc.oneof(
    { weight: 7, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  isSilenced: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});
const story = fc.record({
  moments: fc.array(moment, { minLength: 20, maxLength: 80, size: "max" }),
  forMs: fc.constantFrom(0, 1_000, 3_000, 10_000),
  keepFiringForMs: fc.constantFrom(0, 2_000, 5_000),
  groupIntervalMs: fc.constantFrom(0, 2_000, 30_000),
  repeatIntervalMs: fc.constantFrom(4_000, 3_600_000),
  groupBy: fc.constantFrom(["alertname"], ["alertname", "service"]),
});
type Story = typeof story extends fc.Arbitrary<infer Told> ? Told : never;

interface Told {
  readonly seen: MomentSeen;
  readonly nowMs: number;
  readonly output: EvaluationOutput;
  readonly before: AlertBook;
}

function* tell(told: Story, { calm = false } = {}): Generator<Told> {
  let before = EMPTY_BOOK;
  let nowMs = NOW_MS;
  const end: MomentSeen = {
    afterMs: 25_000,
    sights: ["false", "false", "false"],
    isBlind: false,
    isSilenced: false,
  };
  for (const seen of [...told.moments, ...(calm ? Array.from({ length: 6 }, () => end) : [])]) {
    nowMs += seen.afterMs;
    const look = () =>
      seen.isBlind
        ? undefined
        : SUBJECTS.flatMap((name, index) => {
            const at = seen.sights[index];
            const truth = at === "unknown" ? undefined : at === "true";
            return at === "gone" ? [] : [finding(truth, { subject: { service: name } })];
          });
    const silence: Silence = {
      id: "s",
      matchers: [{ name: "service", value: "a", isEqual: true, isRegex: false }],
      startsAtMs: 0,
      endsAtMs: Number.MAX_SAFE_INTEGER,
      createdAtMs: 0,
      author: "ann",
      comment: "known",
    };
    const output = evaluate({
      nowMs,
      facts: facts(),
      rules: [rule(look, told)],
      before,
      silences: seen.isSilenced ? [silence] : [],
      inhibitions: [],
      routes: [route(told)],
    });
    yield { seen, nowMs, output, before };
    before = output.after;
  }
}

const LONGEST_GAP_MS = 30_000;

describe("alerts, whatever is seen", () => {
  test("never fire before their condition was seen to be true for as long as it must be, without a break", () => {
    fc.assert(
      fc.property(story, (told) => {
        const truthMs = new Map<string, number>();
        let wasTrue = new Set<string>();
        let lastMs: number | undefined;
        for (const { seen, nowMs, output } of tell(told)) {
          const gapMs = nowMs - (lastMs ?? nowMs);
          const watchedMs = gapMs > 0 && gapMs <= LONGEST_GAP_MS ? gapMs : 0;
          const isTrue = new Set<string>();
          for (const [index, name] of SUBJECTS.entries()) {
            const at = seen.isBlind ? "unknown" : seen.sights[index];
            if (at === "true") {
              isTrue.add(name);
              truthMs.set(name, (truthMs.get(name) ?? 0) + (wasTrue.has(name) ? watchedMs : 0));
            } else if (at !== "unknown") truthMs.delete(name);
          }
          for (const { kind, alert } of output.transitions) {
            if (kind !== "firing") continue;
            const held = truthMs.get(alert.labels["service"] ?? "");
            assert.ok(held !== undefined && held >= told.forMs, `fired after ${held} of ${told.forMs} ms`);
          }
          wasTrue = isTrue;
          lastMs = nowMs;
        }
      }),
    );
  });

  test("never fire or resolve at a moment of which nothing is known", () => {
    fc.assert(
      fc.property(story, (told) => {
        for (const { seen, output, before } of tell(told)) {
          for (const { kind, alert } of output.transitions) {
            if (kind !== "firing" && kind !== "resolved" && kind !== "calmed") continue;
            const at = seen.sights[SUBJECTS.indexOf(alert.labels["service"] ?? "")];
            assert.ok(!seen.isBlind && at !== "unknown", `${kind} while ${at}`);
          }
          if (!seen.isBlind) continue;
          const phases = (book: AlertBook) => [...book.alerts.values()].map(({ key, phase }) => [key, phase]);
          assert.deepEqual(phases(output.after), phases(before));
        }
      }),
    );
  });

  test("go from pending to firing to resolved, and each firing has exactly one resolved at the end", () => {
    fc.assert(
      fc.property(story, (told) => {
        const phase = new Map<string, string>();
        const allowed: Readonly<Record<string, readonly (string | undefined)[]>> = {
          pending: [undefined],
          firing: ["pending"],
          calmed: ["pending"],
          resolved: ["firing"],
        };
        for (const { output } of tell(told, { calm: true })) {
          for (const { kind, alert } of output.transitions) {
            const from = allowed[kind];
            if (from === undefined) continue;
            assert.ok(from.includes(phase.get(alert.key)), `${kind} after ${phase.get(alert.key)}`);
            if (kind === "calmed" || kind === "resolved") phase.delete(alert.key);
            else phase.set(alert.key, kind);
          }
        }
        assert.deepEqual([...phase], []);
      }),
    );
  });

  test("are told of as resolved once for each time that they were told of as firing", () => {
    fc.assert(
      fc.property(story, (told) => {
        const open = new Set<string>();
        const ids = new Set<string>();
        let last: Told | undefined;
        for (const moment of tell(told, { calm: true })) {
          for (const notification of moment.output.notifications) {
            assert.ok(!ids.has(notification.id), `${notification.id} was said twice`);
            ids.add(notification.id);
            checkOne(notification, open);
          }
          last = moment;
        }
        assert.deepEqual([...open], []);
        assert.equal(last?.output.after.ended.size ?? 0, 0);
        assert.equal(last?.output.after.alerts.size ?? 0, 0);
      }),
    );
  });

  test("are evaluated to the same result each time, ids of notifications among it", () => {
    fc.assert(
      fc.property(story, (told) => {
        assert.deepEqual(
          Array.from(tell(told), ({ output }) => output),
          Array.from(tell(told), ({ output }) => output),
        );
      }),
      { numRuns: 30 },
    );
  });

  test("are not told of more often than the interval allows, but for the end of it all", () => {
    fc.assert(
      fc.property(story, (told) => {
        const spoke = new Map<string, number>();
        let passedMs = 0;
        for (const { seen, output } of tell(told)) {
          // Whichever way the clock went.
          passedMs += Math.abs(seen.afterMs);
          for (const { groupLabels, reason } of output.notifications) {
            const group = JSON.stringify(groupLabels);
            const lastMs = spoke.get(group);
            spoke.set(group, passedMs);
            if (reason === "resolved" || lastMs === undefined) continue;
            const since = passedMs - lastMs;
            assert.ok(
              since >= Math.min(told.groupIntervalMs, told.repeatIntervalMs),
              `${reason} after ${since} ms`,
            );
          }
        }
      }),
    );
  });
});

function checkOne(notification: Notification, open: Set<string>): void {
  for (const { labels, status } of notification.alerts) {
    const name = labels["service"] ?? "";
    if (status === "firing") open.add(name);
    else assert.ok(open.delete(name), `${name} was told of as resolved, and never as firing`);
  }
  const { service, ...group } = notification.groupLabels;
  const left = [...open].filter((name) => service === undefined || service === name);
  assert.equal(notification.status, left.length > 0 ? "firing" : "resolved", JSON.stringify(group));
}
