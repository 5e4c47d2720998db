import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Alerts, type AlertsOptions } from "../../alerts/alerts.ts";
import { type Channel, DeliveryFailed } from "../../alerts/channels/channel.ts";
import type { ServiceFacts } from "../../alerts/facts.ts";
import type { Notification } from "../../core/alert.ts";
import { alertsConfig } from "../../core/alerts-config.ts";
import type { Clock } from "../../core/clock.ts";
import { FlyballError } from "../../core/errors.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { CPU_REQUEST, facts, NOW_MS, service } from "./builders.ts";

const root = mkdtempSync(join(tmpdir(), "flyball-alerts-"));
after(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

const web = (cpu: number, overrides: Partial<ServiceFacts> = {}) =>
  service({ requests: [CPU_REQUEST], levels: { cpu }, ...overrides });

/** Moves only when it is told to. */
class TestClock implements Clock {
  now = NOW_MS;
  nowMs = () => this.now;
  monotonicMs = () => this.now;
}

/** A disk that can be full. */
class FillableStore extends Store {
  isFull = false;
  override transaction<T>(work: () => T): T {
    if (this.isFull) throw new FlyballError("STORE_FULL", "the disk under the data directory is full");
    return super.transaction(work);
  }
}

/** Takes what it is given, or does with it what the test says. */
class RecordingChannel implements Channel {
  readonly kind = "webhook";
  readonly paceMs = 0;
  readonly name: string;
  readonly taken: Notification[] = [];
  readonly #answer: (said: Notification, signal: AbortSignal) => Promise<void> | void;
  #changed = Promise.withResolvers<void>();

  constructor(
    name = "mail",
    answer: (said: Notification, signal: AbortSignal) => Promise<void> | void = () => {},
  ) {
    this.name = name;
    this.#answer = answer;
  }

  async send(said: Notification, signal: AbortSignal): Promise<void> {
    await this.#answer(said, signal);
    this.taken.push(said);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async until(count: number): Promise<readonly Notification[]> {
    while (this.taken.length < count) await this.#changed.promise;
    return this.taken;
  }
}

function opened(
  channels: readonly Channel[],
  overrides: Partial<AlertsOptions> = {},
  directory = newDirectory(),
) {
  const clock = new TestClock();
  const store = new FillableStore(directory);
  const seen: Notification[] = [];
  const { config } = alertsConfig({
    channels: Object.fromEntries(
      channels.map(({ name }) => [name, { kind: "webhook", url: "http://127.0.0.1:1/" }]),
    ),
  });
  const options: AlertsOptions = {
    ...{ store, clock, config, log: createLog("silent"), address: "http://127.0.0.1:7070", jitter: () => 0 },
    onNotification: (notification) => seen.push(notification),
    ...overrides,
  };
  const alerts = new Alerts(options, channels);
  return {
    ...{ alerts, clock, store, seen, directory },
    look(services: readonly ServiceFacts[], afterMs = 1_000) {
      clock.now += afterMs;
      alerts.look(facts({ services }));
    },
    async [Symbol.asyncDispose]() {
      await alerts[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    },
  };
}

function newDirectory(): string {
  made += 1;
  return join(root, `data-${made}`);
}

const names = ({
  alerts,
}: {
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[];
}) => alerts.map(({ labels }) => `${labels["alertname"]} ${labels["service"] ?? ""}`.trim());

describe("the alerts of a daemon", () => {
  test("are told to a channel and, at once, to whoever looks; and so is their end", async () => {
    const mail = new RecordingChannel();
    await using room = opened([mail]);
    room.look([web(0.95)]);
    assert.deepEqual(
      room.seen.map(({ channel, reason }) => [channel, reason]),
      [["websocket", "first"]],
    );
    room.look([web(0.1)], 20_000);
    const taken = await mail.until(1);
    // Both wait at the same moment: what is told is how it stands.
    assert.ok(["firing", "resolved"].includes(taken[0]?.status ?? ""));
    assert.equal(room.seen.at(-1)?.status, "resolved");
    assert.deepEqual(names(room.alerts.list(10)), ["ServiceCpu shop_web"]);
    assert.equal(room.alerts.list(10).alerts[0]?.state, "resolved");
  });

  test("go on after a restart where they were: told of once, acknowledged, and resolved at the end", async () => {
    const mail = new RecordingChannel();
    const before = opened([mail]);
    before.look([web(0.95)]);
    await mail.until(1);
    const [alert] = before.alerts.list(10).alerts;
    before.alerts.acknowledge(alert?.id ?? "", { by: "ann", comment: "on it" });
    await before[Symbol.asyncDispose]();

    const again = new RecordingChannel();
    await using room = opened([again], {}, before.directory);
    assert.equal(room.alerts.list(10).alerts[0]?.acknowledged?.by, "ann");
    room.look([web(0.95)], 60_000);
    room.look([web(0.1)], 60_000);
    const [over] = await again.until(1);
    assert.deepEqual([over?.status, over?.incident.id], ["resolved", mail.taken[0]?.incident.id]);
    assert.equal(again.taken.length, 1);
  });

  test("draw the series that shows them best", async () => {
    const mail = new RecordingChannel();
    const points = Array.from({ length: 3_600 }, (_, index) => ({
      atMs: index * 1_000,
      value: index === 1_801 ? 1 : 0.5,
    }));
    const asked: unknown[] = [];
    const series: AlertsOptions["series"] = (...words) => {
      asked.push(words);
      return points;
    };
    await using room = opened([mail], { series });
    room.look([web(0.95)]);
    const [{ chart } = assert.fail()] = await mail.until(1);
    assert.deepEqual(asked, [["shop_web", "cpu"]]);
    assert.deepEqual(
      [chart?.title, chart?.unit, chart?.threshold, chart?.points.length],
      ["CPU of shop_web", "ratio", 0.9, 240],
    );
    assert.equal(Math.max(...(chart?.points.map(({ value }) => value) ?? [])), 1, "no peak is lost");
  });

  test("are told of though the disk is full, and the full disk is told of as well", async () => {
    const mail = new RecordingChannel();
    await using room = opened([mail]);
    room.store.isFull = true;
    for (let second = 0; second < 10; second += 1) room.look([web(0.95)]);
    assert.deepEqual((await mail.until(2)).flatMap(names), ["ServiceCpu shop_web", "StoreFailing"]);
    room.store.isFull = false;
    room.look([web(0.1)], 30_000);
    await mail.until(3);
    assert.deepEqual(
      room.alerts
        .list(10)
        .alerts.map(({ state }) => state)
        .sort(),
      ["firing", "resolved"],
    );
    const kept = room.store.all("SELECT state FROM alert_deliveries ORDER BY id").map(({ state }) => state);
    assert.deepEqual(kept.slice(0, 2), ["sent", "sent"], "what could not be written then is written now");
  });

  test("of a storm, 10,000 in 10 s, are grouped, counted and listed in part; nothing is lost unsaid", async () => {
    const mail = new RecordingChannel();
    await using room = opened([mail]);
    const all = Array.from({ length: 10_000 }, (_, index) =>
      web(0.95, { id: `p${index % 50}_s${index}`, project: `p${index % 50}` }),
    );
    const burning = (count: number) =>
      all.map((one, index) => (index < count ? one : { ...one, levels: { cpu: 0.1 } }));
    room.look(burning(1_000));
    await mail.until(50);
    for (let second = 2; second <= 10; second += 1) room.look(burning(second * 1_000));
    room.look(all, 31_000);
    await mail.until(100);
    assert.equal(room.alerts.list(1).channels[0]?.waiting, 0);
    assert.equal(mail.taken.length, 100, "two for each project: the first, and how it stands");
    const last = new Map(mail.taken.map((said) => [said.groupLabels["project"], said]));
    const sums = [...last.values()].reduce<[number, number]>(
      (sum, { firing, alerts, truncatedAlerts }) => [
        sum[0] + firing,
        sum[1] + alerts.length + truncatedAlerts,
      ],
      [0, 0],
    );
    assert.deepEqual(sums, [10_000, 10_000]);
    assert.ok(mail.taken.every(({ alerts }) => alerts.length <= 100));
  });
});

describe("a channel", () => {
  test("that hangs holds up no other, and is left alone when the daemon ends", async () => {
    const aborted = (signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    const hangs = new RecordingChannel("hangs", (_said, signal) => aborted(signal));
    const mail = new RecordingChannel("mail");
    const room = opened([hangs, mail]);
    room.look([web(0.95)]);
    await mail.until(1);
    await room[Symbol.asyncDispose]();
    const again = new RecordingChannel("hangs");
    await using later = opened([again, new RecordingChannel("mail")], {}, room.directory);
    const [said] = await again.until(1);
    assert.equal(said?.id.length, (mail.taken[0]?.id ?? "").length);
    assert.equal(later.alerts.list(1).channels[1]?.waiting, 0, "the other has had it");
  });

  test("that fails is tried again with growing pauses, or after as long as it asks for", async () => {
    let attempts = 0;
    const mail = new RecordingChannel("mail", () => {
      attempts += 1;
      if (attempts === 1) throw new DeliveryFailed("429", { retryAfterMs: 7_000 });
      if (attempts === 2) throw new Error("something unexpected");
    });
    await using room = opened([mail]);
    room.look([web(0.95)]);
    const failing = async (count: number) => {
      while (attempts < count) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    };
    await failing(1);
    assert.equal(room.alerts.list(1).channels[0]?.trouble, "429");
    room.look([web(0.95)], 6_900);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(attempts, 1, "not yet");
    room.look([web(0.95)], 200);
    await failing(2);
    room.look([web(0.95)], 1_100);
    await mail.until(1);
    assert.equal(attempts, 3);
    assert.equal(room.alerts.list(1).channels[0]?.trouble, undefined);
  });

  test("that refuses for good loses the message, and that is said with the next one", async () => {
    let isRefusing = true;
    const mail = new RecordingChannel("mail", () => {
      if (isRefusing) throw new DeliveryFailed("invalid_payload", { isPermanent: true });
    });
    await using room = opened([mail]);
    room.look([web(0.95)]);
    while (room.alerts.list(1).channels[0]?.lost === 0) await new Promise((resolve) => setImmediate(resolve));
    isRefusing = false;
    room.look([web(0.1)], 60_000);
    const [said] = await mail.until(1);
    assert.deepEqual([said?.status, said?.lost], ["resolved", 1]);
    assert.equal(room.alerts.list(1).channels[0]?.lost, 0);
  });

  test("is tried when somebody asks, once, and what it says is told", async () => {
    const mail = new RecordingChannel("mail");
    const chat = new RecordingChannel("chat", () => {
      throw new DeliveryFailed("the receiver answers 404: no_service", { isPermanent: true });
    });
    await using room = opened([mail, chat]);
    assert.equal((await room.alerts.test("mail")).delivered, true);
    assert.equal(mail.taken[0]?.reason, "test");
    assert.equal((await room.alerts.test("chat")).problem, "the receiver answers 404: no_service");
    await assert.rejects(room.alerts.test("pager"), /there is no channel pager: mail, chat/u);
  });
});

describe("a silence", () => {
  const web_ = { name: "service", value: "shop_web", isEqual: true, isRegex: false };
  const asked = { matchers: [web_], endsAtMs: NOW_MS + 3_600_000, author: "ann", comment: "known" };

  test("keeps channels quiet from the next look on, is kept over a restart, and ends when it is ended", async () => {
    const before = opened([]);
    const { id } = before.alerts.silence(asked);
    await before[Symbol.asyncDispose]();
    const mail = new RecordingChannel();
    await using room = opened([mail], {}, before.directory);
    room.look([web(0.95)]);
    assert.equal(room.alerts.list(1).alerts[0]?.suppressedBy, `silence ${id}`);
    assert.deepEqual(
      room.alerts.silences().map(({ state, alerts }) => [state, alerts]),
      [["active", 1]],
    );
    assert.equal(room.alerts.endSilence(id).state, "expired");
    room.look([web(0.95)]);
    assert.deepEqual(
      (await mail.until(1)).map(({ reason }) => reason),
      ["first"],
    );
  });

  test("is refused when it is of no time, or cannot be understood, or is not there", async () => {
    await using room = opened([]);
    assert.throws(() => room.alerts.silence({ ...asked, endsAtMs: NOW_MS - 1 }), /still to come/u);
    const pattern = { ...web_, isRegex: true, value: "(a+)+$" };
    assert.throws(
      () => room.alerts.silence({ ...asked, matchers: [pattern] }),
      /\/matchers\/0\/value: expected a pattern/u,
    );
    assert.throws(() => room.alerts.endSilence("s9"), /there is no silence s9/u);
    assert.throws(() => room.alerts.acknowledge("a9", { by: "ann", comment: "" }), /no alert a9/u);
  });

  test("that is long over is dropped, and so are alerts", async () => {
    await using room = opened([]);
    room.alerts.silence(asked);
    room.look([web(0.95)]);
    room.look([web(0.1)], 30_000);
    room.clock.now += 60 * 86_400_000;
    room.alerts.prune();
    assert.deepEqual([room.alerts.silences().length, room.alerts.list(10).alerts.length], [0, 0]);
  });
});
