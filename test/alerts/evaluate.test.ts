import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type AlertBook,
  EMPTY_BOOK,
  type EvaluationInput,
  type EvaluationOutput,
  evaluate,
} from "../../alerts/evaluate.ts";
import type { AlertRule, Finding } from "../../alerts/rule.ts";
import type { Silence } from "../../alerts/suppression.ts";
import { facts, finding, NOW_MS, route, rule } from "./builders.ts";

/** A story of moments, a second from one to the next. */
class Story {
  nowMs = NOW_MS;
  book: AlertBook = EMPTY_BOOK;
  readonly #input: Partial<EvaluationInput>;

  constructor(input: Partial<EvaluationInput> = {}) {
    this.#input = input;
  }

  look(rules: readonly AlertRule[], more: Partial<EvaluationInput> = {}, afterMs = 1_000): EvaluationOutput {
    this.nowMs += afterMs;
    const output = evaluate({
      nowMs: this.nowMs,
      facts: facts(),
      rules,
      before: this.book,
      silences: [],
      inhibitions: [],
      routes: [route()],
      ...this.#input,
      ...more,
    });
    this.book = output.after;
    return output;
  }
}

const always = (...findings: Finding[]) => rule(() => findings);
const of = (service: string, truth: boolean | "unknown" = true) =>
  finding(truth === "unknown" ? undefined : truth, { subject: { project: "shop", service } });
const told = ({ notifications }: EvaluationOutput) =>
  notifications.map(({ reason, firing, resolved, alerts }) => [
    reason,
    firing,
    resolved,
    alerts
      .map(({ labels, status }) => `${labels["service"] ?? "?"} ${status}`)
      .sort()
      .join(),
  ]);
const kinds = ({ transitions }: EvaluationOutput) => transitions.map(({ kind }) => kind);

function silence(overrides: Partial<Silence> = {}): Silence {
  return {
    id: "s1",
    matchers: [{ name: "service", value: "web", isEqual: true, isRegex: false }],
    startsAtMs: 0,
    endsAtMs: NOW_MS + 3_600_000,
    createdAtMs: 0,
    author: "ann",
    comment: "",
    ...overrides,
  };
}

describe("an alert", () => {
  test("is pending for as long as it must hold, fires, fires on for a while, and resolves", () => {
    const story = new Story();
    const at = (truth: boolean) => rule(() => [of("web", truth)], { forMs: 2_000, keepFiringForMs: 2_000 });
    const seen = [true, true, true, true, false, false, true, false, false, false].map((truth) =>
      kinds(story.look([at(truth)])),
    );
    assert.deepEqual(seen, [["pending"], [], ["firing"], [], [], [], [], [], [], ["resolved"]]);
  });

  test("that is over before it fires was nobody's business", () => {
    const story = new Story();
    const at = (truth: boolean) => rule(() => [of("web", truth)], { forMs: 5_000 });
    assert.deepEqual(
      [true, true, false].map((truth) => kinds(story.look([at(truth)]))),
      [["pending"], [], ["calmed"]],
    );
  });

  test("stays as it is while nothing is known of it, unless its rule says otherwise", () => {
    for (const [noData, expected] of [
      ["keep", [["pending", "firing"], ["missing"], [], ["seen"]]],
      ["fire", [["pending", "firing"], [], [], []]],
      ["resolve", [["pending", "firing"], ["resolved"], [], ["pending", "firing"]]],
    ] as const) {
      const story = new Story();
      const seen = ([true, "unknown", "unknown", true] as const).map((truth) =>
        kinds(story.look([rule(() => [of("web", truth)], { noData })])),
      );
      assert.deepEqual(seen, expected, noData);
    }
    const unseen = new Story();
    assert.deepEqual(kinds(unseen.look([rule(() => [of("web", "unknown")], { noData: "fire" })])), [
      "pending",
      "firing",
    ]);
  });

  test("ends with its subject, and with its rule", () => {
    const story = new Story();
    story.look([always(of("web"), of("db"))]);
    assert.deepEqual(told(story.look([always(of("db"))], {}, 60_000)), [
      ["changed", 1, 1, "db firing,web resolved"],
    ]);
    assert.deepEqual(told(story.look([], {}, 60_000)), [["resolved", 0, 1, "db resolved"]]);
  });

  test("is the same when a label changes that is there to route by, and keeps those that say what it is", () => {
    const story = new Story();
    const labelled = (team: string) =>
      always({ ...of("web"), labels: { team, alertname: "Mine", service: "mine" } });
    const [first] = story.look([labelled("a")]).transitions;
    assert.deepEqual(first?.alert.labels, {
      team: "a",
      alertname: "ServiceDown",
      project: "shop",
      service: "web",
      severity: "critical",
    });
    assert.deepEqual(kinds(story.look([labelled("b")])), []);
  });
});

describe("alerts of one group", () => {
  test("are told of together, and what comes later when the interval is over", () => {
    const story = new Story();
    assert.deepEqual(told(story.look([always(of("a"), of("b"))])), [["first", 2, 0, "a firing,b firing"]]);
    assert.deepEqual(told(story.look([always(of("a"), of("b"), of("c"))])), []);
    assert.deepEqual(told(story.look([always(of("a"), of("c"))], {}, 28_000)), []);
    assert.deepEqual(told(story.look([always(of("a"), of("c"))])), [
      ["changed", 2, 1, "a firing,b resolved,c firing"],
    ]);
  });

  test("are told to be over at once, and then a new incident begins", () => {
    const story = new Story();
    const first = story.look([always(of("a"))]).notifications[0];
    const over = story.look([always(of("a", false))]).notifications[0];
    assert.deepEqual([first?.incident.id, over?.reason], [over?.incident.id, "resolved"]);
    assert.deepEqual(told(story.look([always(of("a"))])), [], "not yet: it was told of a moment ago");
    const again = story.look([always(of("a"))], {}, 30_000).notifications[0];
    assert.deepEqual([again?.reason, again?.firing], ["first", 1]);
    assert.notEqual(again?.incident.id, first?.incident.id);
  });

  test("that come and go while nobody may be told are not told of", () => {
    const story = new Story();
    story.look([always(of("a"))]);
    for (let round = 0; round < 5; round += 1) {
      assert.deepEqual(told(story.look([always(of("a"), of("b"))])), []);
      assert.deepEqual(told(story.look([always(of("a"))])), []);
    }
    assert.deepEqual(told(story.look([always(of("a"))], {}, 60_000)), []);
  });

  test("are told of again when they still fire after hours", () => {
    const story = new Story();
    story.look([always(of("a"))]);
    assert.deepEqual(told(story.look([always(of("a"))], {}, 4 * 3_600_000 - 1)), []);
    assert.deepEqual(told(story.look([always(of("a"))], {}, 1)), [["repeat", 1, 0, "a firing"]]);
  });

  test("are listed up to a hundred, the most severe first, and the others counted", () => {
    const story = new Story({ routes: [route({ groupBy: ["project"] })] });
    const many = Array.from({ length: 150 }, (_, index) => of(`s${index}`));
    const mild = {
      ...of("mild"),
      timing: { severity: "info", forMs: 0, keepFiringForMs: 0, noData: "keep" },
    } as const;
    const [notification] = story.look([always(mild, ...many)]).notifications;
    assert.deepEqual(
      [notification?.firing, notification?.alerts.length, notification?.truncatedAlerts],
      [151, 100, 51],
    );
    assert.ok(notification?.alerts.every(({ severity }) => severity === "critical"));
  });
});

describe("nobody is told", () => {
  test("of what is silenced, from the silence's beginning to its end", () => {
    const story = new Story();
    const silences = [silence({ startsAtMs: NOW_MS + 60_000, endsAtMs: NOW_MS + 120_000 })];
    assert.deepEqual(told(story.look([always(of("db"))], { silences })), [["first", 1, 0, "db firing"]]);
    const during = story.look([always(of("db"), of("web"))], { silences }, 60_000);
    assert.deepEqual([told(during), [...during.suppressed.values()]], [[], [{ by: "silence", id: "s1" }]]);
    const after = story.look([always(of("db"), of("web"))], { silences }, 60_000);
    assert.deepEqual(told(after), [["changed", 2, 0, "db firing,web firing"]]);
  });

  test("but who was told that it fires is told that it is over, silence or not", () => {
    const story = new Story();
    story.look([always(of("web"))]);
    assert.deepEqual(told(story.look([always(of("web", false))], { silences: [silence()] })), [
      ["resolved", 0, 1, "web resolved"],
    ]);
  });

  test("of what another alert brings about, and is told of what stays when that is over", () => {
    const inhibitions = [
      {
        source: [{ name: "alertname", value: "CrashLooping", isEqual: true, isRegex: false }],
        target: [{ name: "alertname", value: "ServiceDown|ReplicasMissing", isEqual: true, isRegex: true }],
        equal: ["service"],
      },
    ];
    const story = new Story({ inhibitions });
    const cause = rule(() => [of("web")], { name: "CrashLooping" });
    const calm = rule(() => [of("web", false)], { name: "CrashLooping" });
    const effect = always(of("web"), of("db"));
    assert.deepEqual(told(story.look([cause, effect])).sort(), [
      ["first", 1, 0, "db firing"],
      ["first", 1, 0, "web firing"],
    ]);
    assert.equal(story.look([cause, effect]).suppressed.size, 1);
    assert.deepEqual(told(story.look([calm, effect], {}, 60_000)).sort(), [
      ["changed", 2, 0, "db firing,web firing"],
      ["resolved", 0, 1, "web resolved"],
    ]);
  });

  test("again of what somebody knows, until it is over and back", () => {
    const story = new Story();
    story.look([always(of("web"))]);
    const [[key, alert] = assert.fail()] = [...story.book.alerts];
    const acknowledged = { by: "ann", comment: "on it", atMs: story.nowMs };
    story.book = { ...story.book, alerts: new Map([[key, { ...alert, acknowledged }]]) };
    assert.deepEqual(told(story.look([always(of("web"))], {}, 5 * 3_600_000)), [], "no repetition");
    assert.deepEqual(told(story.look([always(of("web"), of("db"))])), [["changed", 2, 0, "db firing"]]);
    assert.deepEqual(told(story.look([always(of("db"), of("web", false))], {}, 30_000)), [
      ["changed", 1, 1, "db firing,web resolved"],
    ]);
    assert.deepEqual(told(story.look([always(of("db"), of("web"))], {}, 30_000)), [
      ["changed", 2, 0, "db firing,web firing"],
    ]);
  });

  test("who did not ask for it: a channel hears of what its matchers match", () => {
    const severe = [{ name: "service", value: "web", isEqual: true, isRegex: false }];
    const routes = [route({ channel: "mail" }), route({ channel: "pager", matchers: severe })];
    const story = new Story({ routes });
    const { notifications } = story.look([always(of("web"), of("db"))]);
    assert.deepEqual(
      notifications.map(({ channel, firing }) => [channel, firing]),
      [
        ["mail", 2],
        ["pager", 1],
      ],
    );
    assert.notEqual(notifications[0]?.id, notifications[1]?.id);
  });
});
