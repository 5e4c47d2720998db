import { randomUUID } from "node:crypto";
import type { Notification } from "../core/alert.ts";
import { type AlertsConfig, DEFAULT_ALERTS } from "../core/alerts-config.ts";
import type { Clock } from "../core/clock.ts";
import { FlyballError, isFlyballError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { problemOf } from "../core/matcher.ts";
import type { Store } from "../core/store.ts";
import { SECOND_MS } from "../core/units.ts";
import type {
  AckRequest,
  AlertList,
  AlertView,
  ChannelTest,
  SilenceAsked,
  SilenceView,
} from "../core/wire-alerts.ts";
import type { Channel } from "./channels/channel.ts";
import { openChannel } from "./channels/open.ts";
import { type SeriesReader, withChart } from "./charts.ts";
import { Courier } from "./courier.ts";
import { DiskTrends } from "./disk-trends.ts";
import { type AlertBook, type EvaluationOutput, evaluate } from "./evaluate.ts";
import type { AlertFacts } from "./facts.ts";
import { Outbox } from "./outbox.ts";
import { AlertRecords } from "./records.ts";
import { INHIBITIONS } from "./rules/built-in.ts";
import { routesOf, rulesOf, WEBSOCKET } from "./settings.ts";
import { Silences } from "./silences.ts";
import { SmoothedLevels } from "./smoothed.ts";
import type { AlertState } from "./state.ts";
import { TABLES } from "./tables.ts";
import { alertView, silenceView } from "./views.ts";

/** What the daemon sees; what the room knows itself is added here. */
export type SeenFacts = Omit<AlertFacts, "channels" | "storeTrouble">;

export interface AlertsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly config?: AlertsConfig;
  /** Where the API is reached, for links, unless the configuration says it. */
  readonly address: string;
  /** Told of each notification for whoever looks: the stream's topic `alerts`. */
  readonly onNotification: (notification: Notification) => void;
  readonly series?: SeriesReader;
  /** Chance, from 0 to 1, for pauses between attempts. */
  readonly jitter?: () => number;
}

const TEST_PATIENCE_MS = 20 * SECOND_MS;

/**
 * Looks each second at what the daemon sees, and tells who is to be told. What has to be said is in the store before it
 * is said, with the change that it tells of; without a store it is said all the same.
 */
export class Alerts implements AsyncDisposable {
  readonly #options: AlertsOptions;
  readonly #rules: ReturnType<typeof rulesOf>;
  readonly #routes: ReturnType<typeof routesOf>;
  readonly #records: AlertRecords;
  readonly #outbox: Outbox;
  readonly #silences: Silences;
  readonly #disks = new DiskTrends();
  readonly #levels = new SmoothedLevels();
  readonly #channels: readonly Channel[];
  readonly #couriers: readonly Courier[];
  #book: AlertBook;
  #suppressed: EvaluationOutput["suppressed"] = new Map();
  #storeTrouble: string | undefined;

  /** @throws FlyballError CONFIG_INVALID, STORE_… */
  static async open(options: AlertsOptions): Promise<Alerts> {
    const { config = DEFAULT_ALERTS, address, clock } = options;
    const externalUrl = config.externalUrl ?? address;
    const nowMs = () => clock.nowMs();
    const channels = config.channels.map((one) => openChannel(one, { externalUrl, nowMs }));
    return new Alerts(options, await Promise.all(channels));
  }

  /** @param channels those of the configuration, opened */
  constructor(options: AlertsOptions, channels: readonly Channel[]) {
    const { store, clock, log, config = DEFAULT_ALERTS, jitter = Math.random } = options;
    this.#options = options;
    this.#rules = rulesOf(config);
    this.#routes = routesOf(config);
    this.#channels = channels;
    store.migrate(TABLES);
    this.#records = new AlertRecords(store);
    this.#book = this.#records.book;
    this.#silences = new Silences(store);
    const names = channels.map(({ name }) => name);
    this.#outbox = new Outbox(store, names, clock.nowMs());
    this.#couriers = channels.map(
      (channel) =>
        new Courier({ channel, outbox: this.#outbox, clock, log, jitter, onChange: () => this.#write() }),
    );
  }

  /** One look. Throws nothing that the store or a channel has brought about. */
  look(seen: SeenFacts): void {
    const nowMs = this.#options.clock.nowMs();
    const facts: AlertFacts = {
      ...seen,
      services: this.#levels.apply(seen.services, nowMs),
      ...(seen.filesystems === undefined ? {} : { filesystems: this.#disks.apply(seen.filesystems, nowMs) }),
      channels: this.#outbox.facts,
      ...(this.#storeTrouble === undefined ? {} : { storeTrouble: this.#storeTrouble }),
    };
    const output = evaluate({
      nowMs,
      facts,
      rules: this.#rules,
      before: this.#book,
      silences: this.#silences.all,
      inhibitions: INHIBITIONS,
      routes: this.#routes,
    });
    this.#book = output.after;
    this.#suppressed = output.suppressed;
    for (const { kind, alert } of output.transitions) {
      const { fingerprint: alertId, labels, summary } = alert;
      if (kind === "firing" || kind === "resolved") {
        this.#options.log.info({ alertId, labels }, `${kind}: ${summary}`);
      }
    }
    const notifications = output.notifications.map((one) => this.#drawn(one));
    this.#outbox.post(notifications, nowMs);
    const hasNews = this.#records.note(output);
    if (hasNews || this.#outbox.isUnwritten) this.#write();
    for (const one of notifications) if (one.channel === WEBSOCKET) this.#options.onNotification(one);
    for (const courier of this.#couriers) courier.nudge();
  }

  /** Pending and firing ones, and those that ended last. @throws FlyballError STORE_UNUSABLE */
  list(limit: number): AlertList {
    const active = [...this.#book.alerts.values()];
    const over = this.#records.history(limit);
    const kinds = new Map(this.#channels.map(({ name, kind }) => [name, kind]));
    return {
      alerts: [...active.sort(byUrgency), ...over].slice(0, limit).map((alert) => this.#view(alert)),
      channels: this.#outbox.facts.map((channel) => ({
        ...channel,
        kind: kinds.get(channel.name) ?? "webhook",
      })),
    };
  }

  /** For who counts. */
  get figures() {
    const alerts = [...this.#book.alerts.values()];
    return { rules: this.#rules, alerts, channels: this.#outbox.figures };
  }

  /** Nobody is told of it again until it has resolved. @throws FlyballError NOT_FOUND, STORE_FULL, STORE_UNUSABLE */
  acknowledge(id: string, { by, comment }: AckRequest): AlertView {
    const alert = [...this.#book.alerts.values()].find(({ fingerprint }) => fingerprint === id);
    if (alert === undefined) throw new FlyballError("NOT_FOUND", `no alert ${id} is pending or firing`);
    const atMs = this.#options.clock.nowMs();
    const after: AlertState = { ...alert, acknowledged: { by, comment, atMs } };
    this.#book = { ...this.#book, alerts: new Map([...this.#book.alerts, [alert.key, after]]) };
    this.#write();
    this.#options.log.info({ alertId: id, by }, "an alert was acknowledged");
    return alertView(after, { by: "acknowledgement" });
  }

  silences(): readonly SilenceView[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#silences.all.map((silence) => silenceView(silence, this.#suppressed, nowMs));
  }

  /** @throws FlyballError REQUEST_INVALID, OUT_OF_BOUNDS, STORE_FULL, STORE_UNUSABLE */
  silence({ startsAtMs, ...request }: SilenceAsked): SilenceView {
    const nowMs = this.#options.clock.nowMs();
    const problems = request.matchers.flatMap((matcher, index) => {
      const message = problemOf(matcher);
      return message === undefined ? [] : [{ at: `/matchers/${index}/value`, message }];
    });
    if (request.endsAtMs <= nowMs) {
      problems.push({ at: "/endsAtMs", message: "expected an instant that is still to come" });
    }
    if (problems.length > 0) {
      const message = problems.map((problem) => `${problem.at}: ${problem.message}`).join("; ");
      throw new FlyballError("REQUEST_INVALID", message, { problems });
    }
    const silence = this.#silences.add({ ...request, startsAtMs: startsAtMs ?? nowMs }, nowMs);
    this.#options.log.info({ silence: silence.id, author: silence.author }, "a silence was made");
    return silenceView(silence, this.#suppressed, nowMs);
  }

  /** @throws FlyballError NOT_FOUND, STORE_FULL, STORE_UNUSABLE */
  endSilence(id: string): SilenceView {
    const nowMs = this.#options.clock.nowMs();
    const silence = this.#silences.end(id, nowMs);
    this.#options.log.info({ silence: id }, "a silence was ended");
    return silenceView(silence, this.#suppressed, nowMs);
  }

  /** Tells a channel that nothing is wrong, at once and once. @throws FlyballError NOT_FOUND */
  async test(name: string): Promise<ChannelTest> {
    const { clock } = this.#options;
    const channel = this.#channels.find((one) => one.name === name);
    if (channel === undefined) {
      const names = this.#channels.map((one) => one.name).join(", ") || "the configuration names none";
      throw new FlyballError("NOT_FOUND", `there is no channel ${name}: ${names}`);
    }
    const startedMs = clock.monotonicMs();
    const tookMs = () => Math.round(clock.monotonicMs() - startedMs);
    try {
      await channel.send(testOf(name, clock.nowMs()), AbortSignal.timeout(TEST_PATIENCE_MS));
      return { channel: name, delivered: true, tookMs: tookMs() };
    } catch (error) {
      return { channel: name, delivered: false, tookMs: tookMs(), problem: messageOf(error) };
    }
  }

  /** Drops what is older than is kept. What cannot be dropped now is so another time. */
  prune(): void {
    const { clock, log } = this.#options;
    try {
      for (const kept of [this.#records, this.#outbox, this.#silences]) kept.prune(clock.nowMs());
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      log.error({ err: error }, "old alerts cannot be dropped");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#couriers.map((courier) => courier[Symbol.asyncDispose]()));
    this.#write();
  }

  #view(alert: AlertState): AlertView {
    return alertView(alert, alert.phase === "firing" ? this.#suppressed.get(alert.key) : undefined);
  }

  #drawn(notification: Notification): Notification {
    const { series } = this.#options;
    if (series === undefined || notification.channel === WEBSOCKET) return notification;
    const { alerts, ended } = this.#book;
    return withChart(notification, [...alerts.values(), ...ended.values()], series);
  }

  /** All that became of alerts and deliveries since, in one transaction. */
  #write(): void {
    const { store, log } = this.#options;
    try {
      store.transaction(() => {
        this.#records.save(this.#book);
        this.#outbox.write();
      });
      this.#records.saved(this.#book);
      this.#outbox.written();
      if (this.#storeTrouble !== undefined) log.info("alerts are kept in the store again");
      this.#storeTrouble = undefined;
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      if (this.#storeTrouble === undefined) {
        log.error({ err: error }, "alerts cannot be kept in the store; they are told of all the same");
      }
      this.#storeTrouble = error.message;
    }
  }
}

const URGENCY = ["critical", "warning", "info"];

/** Firing ones first, the most severe of them first, and of those the oldest. */
function byUrgency(a: AlertState, b: AlertState): number {
  if (a.phase !== b.phase) return a.phase === "firing" ? -1 : 1;
  return URGENCY.indexOf(a.severity) - URGENCY.indexOf(b.severity) || a.pendingAtMs - b.pendingAtMs;
}

function testOf(channel: string, atMs: number): Notification {
  const id = randomUUID();
  const labels = { alertname: "Test", severity: "info" };
  const words = { summary: "this is what an alert looks like here", advice: "nothing is to be done" };
  return {
    id,
    channel,
    status: "firing",
    reason: "test",
    atMs,
    incident: { id, openedAtMs: atMs },
    groupLabels: { alertname: "Test" },
    alerts: [{ fingerprint: id, status: "firing", severity: "info", labels, startsAtMs: atMs, ...words }],
    firing: 1,
    resolved: 0,
    truncatedAlerts: 0,
  };
}
