import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AlertFacts, ServiceFacts } from "../../alerts/facts.ts";
import { BUILT_IN } from "../../alerts/rules/built-in.ts";
import { thresholdRules } from "../../alerts/rules/thresholds.ts";
import type { AlertRequest } from "../../core/alert.ts";
import { ALERT_RULES } from "../../core/alert-rules.ts";
import type { Evaluation, Hold, RuleVerdict } from "../../core/types.ts";
import { facts, NOW_MS, replica, service } from "./builders.ts";

const RULES = [...BUILT_IN, ...thresholdRules([])];

/** What is true of these facts, each as `Rule: sentence`. */
function said(seen: AlertFacts, rules = RULES): string[] {
  return rules.flatMap((rule) =>
    (rule.look(seen, NOW_MS) ?? [])
      .filter(({ truth }) => truth === true)
      .map(({ summary }) => `${rule.name}: ${summary}`),
  );
}

const of = (overrides: Partial<ServiceFacts>) => said(facts({ services: [service(overrides)] }));

function unknownOf(overrides: Partial<ServiceFacts>): string[] {
  const seen = facts({ services: [service(overrides)] });
  return RULES.filter((rule) => (rule.look(seen, NOW_MS) ?? []).some(({ truth }) => truth === undefined)).map(
    ({ name }) => name,
  );
}

const verdict: RuleVerdict = {
  metric: "cpu",
  wants: "out",
  level: 0.93,
  max: 0.7,
  replicasRead: 10,
  replicasServing: 10,
};
function decision(overrides: Partial<Evaluation> = {}): Evaluation {
  const capped = { limit: "bounds", from: 12, to: 10 } as const;
  return {
    service: "shop_web",
    atMs: NOW_MS,
    from: 10,
    wanted: 12,
    to: 10,
    verdicts: [verdict],
    limits: [capped],
    ...overrides,
  };
}
const hold = (overrides: Partial<Hold>): Hold => ({ service: "shop_web", reason: "because", ...overrides });

describe("a service that is well", () => {
  test("is nobody's business", () => {
    assert.deepEqual(of({}), []);
    assert.deepEqual(
      of({
        scales: true,
        decision: decision({ wanted: 10, limits: [], verdicts: [{ ...verdict, wants: "hold" }] }),
      }),
      [],
    );
    assert.deepEqual(of({ desired: 0, replicas: [] }), []);
  });

  test("says nothing of what cannot be seen: without an engine nothing is known of its replicas", () => {
    const { replicas: _replicas, holds: _holds, ...unseen } = service();
    assert.deepEqual(said(facts({ services: [unseen] })), []);
    const unknown = RULES.filter((rule) =>
      (rule.look(facts({ services: [unseen] }), NOW_MS) ?? []).some(({ truth }) => truth === undefined),
    );
    assert.deepEqual(
      unknown.map(({ name }) => name),
      ["ServiceDown", "CrashLooping", "ServiceUnhealthy", "ReplicasMissing", "ServiceCannotScale"],
    );
  });
});

describe("load that no replica takes away", () => {
  test("is told of with what is hot, and at which maximum", () => {
    assert.deepEqual(of({ scales: true, desired: 10, replicas: tenRunning(), decision: decision() }), [
      "ServiceAtMaximum: shop_web is at its maximum of 10 replicas and still hot: CPU at 93 %, above 70 %",
    ]);
  });

  test("is not at its maximum below the schedule's, or while nothing asks for more", () => {
    assert.deepEqual(
      of({
        scales: true,
        desired: 10,
        replicas: tenRunning(),
        decision: decision({ wanted: 12, to: 12, limits: [] }),
      }),
      [],
    );
    assert.deepEqual(
      unknownOf({
        scales: true,
        decision: decision({ limits: [], verdicts: [{ ...verdict, wants: "unknown" }] }),
      }),
      ["ServiceAtMaximum"],
    );
    assert.deepEqual(unknownOf({ scales: true }), ["ServiceAtMaximum"]);
  });

  test("that cannot be met is told of with the reason, once for each", () => {
    const full = hold({ kind: "capacity", reason: "does not fit: 0.5 cores are free, 1 is reserved" });
    assert.deepEqual(of({ desired: 4, replicas: [replica()], holds: [full, { ...full, slot: 3 }] }), [
      "ReplicasMissing: shop_web has 1 of 4 replicas ready: does not fit: 0.5 cores are free, 1 is reserved",
      "ServiceCannotScale: shop_web has 1 of 4 replicas and cannot have more: does not fit: 0.5 cores are free, 1 is reserved",
    ]);
    const single = { limit: "single replica", from: 3, to: 1 } as const;
    assert.deepEqual(
      of({ scales: true, decision: decision({ from: 1, wanted: 3, to: 1, limits: [single] }) }),
      ["ServiceCannotScale: shop_web wants 3 replicas and can have one only"],
    );
  });
});

describe("replicas", () => {
  test("that are not there leave a service down, or short", () => {
    assert.deepEqual(of({ desired: 2, replicas: [replica({ state: "starting" })] }), [
      "ServiceDown: shop_web has no ready replica; 2 should be",
      "ReplicasMissing: shop_web has 0 of 2 replicas ready",
    ]);
  });

  test("that have done their work, or that somebody has paused, are not missing", () => {
    const ended = hold({ kind: "ended", slot: 1 });
    assert.deepEqual(of({ replicas: [replica({ state: "exited" })], holds: [ended] }), []);
    const paused = hold({ kind: "paused", slot: 1 });
    assert.deepEqual(of({ replicas: [replica({ state: "paused" })], holds: [paused] }), []);
    const left = hold({ kind: "external", reason: "is left as somebody else has made it" });
    assert.deepEqual(of({ desired: 3, replicas: [replica()], holds: [left] }), []);
  });

  test("that end again and again are told of with how the last one ended", () => {
    const looping = hold({
      kind: "crash-loop",
      slot: 1,
      reason: "failed 5 times in a row; tried again in 16s",
    });
    const failures = [
      { failure: "error", slot: 1, reason: "ended with status 3", takenAtMs: NOW_MS },
      { failure: "error", slot: 1, reason: "ended with status 1", takenAtMs: NOW_MS - 1_000 },
    ] as const;
    assert.deepEqual(of({ desired: 0, replicas: [], holds: [looping], failures }), [
      "CrashLooping: shop_web ends again and again: failed 5 times in a row; tried again in 16s; the last one ended with status 3",
    ]);
  });

  test("that were killed for their memory are remembered for ten minutes", () => {
    const oom = { failure: "oom", slot: 1, reason: "was killed", takenAtMs: NOW_MS - 9 * 60_000 } as const;
    assert.deepEqual(of({ failures: [oom, oom] }), [
      "OutOfMemory: shop_web was killed for its memory, 2 times within 10m",
    ]);
    assert.deepEqual(of({ failures: [{ ...oom, takenAtMs: NOW_MS - 10 * 60_000 }] }), []);
  });

  test("that are unhealthy are told of by their slots", () => {
    const sick = replica({ state: "unhealthy", slot: 2 });
    assert.deepEqual(of({ desired: 1, replicas: [replica(), sick] }), [
      "ServiceUnhealthy: 1 replica of shop_web is unhealthy (slot 2)",
    ]);
  });

  test("of a service that turns a rule off are not that rule's", () => {
    assert.deepEqual(of({ replicas: [], off: ["ServiceDown", "ReplicasMissing"] }), []);
  });
});

describe("a rollout", () => {
  const rollout = {
    startedAtMs: NOW_MS - 60_000,
    sentence: "rolled back to revision 2 from revision 3: its replica 1 ended",
  };
  test("that was taken back is told of for an hour, and one that waits until somebody decides", () => {
    const back = { ...rollout, state: "rolled back" as const, endedAtMs: NOW_MS - 30 * 60_000 };
    assert.deepEqual(of({ rollout: back }), [
      "RolloutRolledBack: the rollout of shop_web failed: rolled back to revision 2 from revision 3: its replica 1 ended",
    ]);
    assert.deepEqual(of({ rollout: { ...back, endedAtMs: NOW_MS - 61 * 60_000 } }), []);
    assert.deepEqual(
      of({ rollout: { ...rollout, state: "paused", sentence: "paused on the way to revision 3" } }),
      ["RolloutPaused: the rollout of shop_web waits for you: paused on the way to revision 3"],
    );
  });

  test("that takes long is told of, and one that goes well is not", () => {
    const slow = {
      ...rollout,
      state: "updating" as const,
      startedAtMs: NOW_MS - 16 * 60_000,
      sentence: "1 of 4",
    };
    assert.deepEqual(of({ rollout: slow }), ["RolloutSlow: the rollout of shop_web takes long: 1 of 4"]);
    assert.deepEqual(of({ rollout: { ...slow, startedAtMs: NOW_MS - 60_000 } }), []);
    assert.deepEqual(of({ rollout: { ...slow, state: "done" } }), []);
  });
});

describe("the machine", () => {
  test("whose engine or collector is silent is told of", () => {
    assert.deepEqual(said(facts({ engine: { description: "docker 26.1", trouble: "connect ENOENT" } })), [
      "EngineSilent: the engine (docker 26.1) does not answer: connect ENOENT",
    ]);
    assert.deepEqual(said(facts({ collector: { state: "dead", lastBatchAtMs: NOW_MS - 60_000 } })), [
      "CollectorSilent: nothing was measured for 1m: the collector is dead",
    ]);
    assert.deepEqual(said(facts({ collector: { state: "running", lastBatchAtMs: NOW_MS - 20_000 } })), [
      "CollectorSilent: nothing was measured for 20s: the collector is running",
    ]);
  });

  test("whose disk fills is told of with the time that is left", () => {
    const disk = { mountPoint: "/srv", sizeBytes: 100 * 2 ** 30, availableBytes: 30 * 2 ** 30, isOwn: false };
    const with_ = (overrides: object) => said(facts({ filesystems: [{ ...disk, ...overrides }] }));
    assert.deepEqual(with_({}), []);
    assert.deepEqual(with_({ fullInMs: 9 * 3_600_000 }), [
      "DiskFilling: 30 GiB (30 %) of /srv left, full in 9h if it goes on like this",
    ]);
    assert.deepEqual(
      with_({ fullInMs: 9 * 3_600_000, availableBytes: 50 * 2 ** 30 }),
      [],
      "there is room for many such nights",
    );
    assert.deepEqual(with_({ availableBytes: 2 ** 30 }), ["DiskAlmostFull: 1 GiB (1 %) of /srv left"]);
    assert.deepEqual(said(facts({ filesystems: [{ ...disk, sizeBytes: 0, availableBytes: 0 }] })), []);
  });

  test("whose disks nobody has looked at is not said to have none", () => {
    const disks = RULES.find(({ name }) => name === "DiskFilling");
    assert.equal(disks?.look(facts(), NOW_MS), undefined);
    assert.deepEqual(disks?.look(facts({ filesystems: [] }), NOW_MS), []);
  });

  test("that cannot keep or tell what is wrong is told of", () => {
    assert.deepEqual(said(facts({ storeTrouble: "the disk is full" })), [
      "StoreFailing: the data directory cannot be written to: the disk is full",
    ]);
    const failing = {
      name: "mail",
      failingSinceMs: NOW_MS - 1,
      trouble: "ECONNREFUSED",
      waiting: 3,
      lost: 1,
    };
    assert.deepEqual(said(facts({ channels: [failing, { name: "chat", waiting: 0, lost: 0 }] })), [
      "NotificationsFailing: nothing can be delivered through the channel mail: ECONNREFUSED; 3 waiting, 1 given up",
    ]);
  });
});

describe("a threshold that a service asks for", () => {
  const request: AlertRequest = {
    signal: "cpu",
    comparison: ">",
    threshold: 0.9,
    forMs: 120_000,
    keepFiringForMs: 30_000,
    severity: "warning",
    noData: "keep",
  };

  test("is compared with the level of the moment, and unknown without one", () => {
    assert.deepEqual(of({ requests: [request], levels: { cpu: 0.95 } }), [
      "ServiceCpu: shop_web: CPU > 90 %, for 2m and longer; 95 % now",
    ]);
    assert.deepEqual(of({ requests: [request], levels: { cpu: 0.9 } }), []);
    assert.deepEqual(unknownOf({ requests: [request] }), ["ServiceCpu"]);
    const slow = { ...request, signal: "latency", comparison: ">=", threshold: 800, forMs: 0 } as const;
    assert.deepEqual(of({ requests: [slow], levels: { latency: 800 } }), [
      "ServiceLatency: shop_web: latency at p95 >= 800ms; 800ms now",
    ]);
    const few = { ...request, signal: "replicas", comparison: "<", threshold: 2, forMs: 0 } as const;
    assert.deepEqual(of({ requests: [few] }), ["ServiceReplicas: shop_web: ready replicas < 2; 1 now"]);
  });

  test("stands in place of the configuration's for all services", () => {
    const seen = facts({
      services: [
        service({ requests: [request], levels: { cpu: 0.85 } }),
        service({ id: "shop_db", levels: { cpu: 0.85 } }),
      ],
    });
    assert.deepEqual(said(seen, [...thresholdRules([{ ...request, threshold: 0.8, forMs: 0 }])]), [
      "ServiceCpu: shop_db: CPU > 80 %; 85 % now",
    ]);
  });
});

test("every rule has the name that labels and the configuration know, and says what to do", () => {
  assert.deepEqual(
    RULES.map(({ name }) => name),
    ALERT_RULES,
  );
});

function tenRunning() {
  return Array.from({ length: 10 }, (_, index) => replica({ slot: index + 1 }));
}
