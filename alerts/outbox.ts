import type { Notification } from "../core/alert.ts";
import type { Store } from "../core/store.ts";
import { DAY_MS } from "../core/units.ts";
import type { ChannelFacts } from "./facts.ts";
import { type Delivery, enqueue } from "./queue.ts";

/** `sent` · `replaced` by one that says the same and more · `dropped` for want of room · `dead` given up */
type Ending = "sent" | "replaced" | "dropped" | "dead";

/** What is kept of deliveries that have ended. */
const KEPT_MS = 7 * DAY_MS;

interface Box {
  readonly name: string;
  /** Oldest first, with the one that is being sent. */
  waiting: Delivery[];
  /** It is being sent: it stays as it is. */
  sending?: number;
  lost: number;
  failingSinceMs?: number;
  trouble?: string;
  /** Since the start of the daemon. */
  failedAttempts: number;
  readonly ended: Record<Ending, number>;
}

/** Counts are since the start of the daemon. */
export type OutboxFigures = Readonly<Pick<Box, "name" | "failedAttempts" | "ended">> & {
  readonly waiting: number;
};

interface Unwritten {
  readonly channel: string;
  readonly delivery: Delivery;
  readonly state: Ending | "waiting";
  readonly endedAtMs?: number;
}

/**
 * Notifications on their way, in the store before they are sent, and until it is known that they were. A daemon that
 * is killed in between sends them again, under the same id. What the store cannot take is sent from memory.
 */
export class Outbox {
  readonly #store: Store;
  readonly #boxes: ReadonlyMap<string, Box>;
  readonly #unwritten = new Map<number, Unwritten>();
  readonly #unwrittenLosses = new Set<Box>();
  #nextId: number;

  /** @param channels those that there are; what waits for others is given up */
  constructor(store: Store, channels: readonly string[], nowMs: number) {
    this.#store = store;
    this.#boxes = new Map(channels.map((name) => [name, emptyBox(name)]));
    this.#nextId = 1 + Number(store.get("SELECT max(id) AS id FROM alert_deliveries")?.["id"] ?? 0);
    this.#read(nowMs);
  }

  /** Something is not in the store yet. */
  get isUnwritten(): boolean {
    return this.#unwritten.size + this.#unwrittenLosses.size > 0;
  }

  /** To be written before it may be taken: `write` follows, within the transaction of what it tells of. */
  post(notifications: readonly Notification[], nowMs: number): void {
    for (const notification of notifications) {
      const box = this.#boxes.get(notification.channel);
      if (box === undefined) continue;
      const free = box.waiting.filter(({ id }) => id !== box.sending);
      const { notification: merged, replaced, dropped } = enqueue(free, notification);
      for (const delivery of replaced) this.#end(box, delivery, "replaced", nowMs);
      for (const delivery of dropped) this.#lose(box, delivery, "dropped", nowMs);
      const delivery = {
        id: this.#nextId,
        notification: merged,
        createdAtMs: nowMs,
        attempts: 0,
        nextAtMs: nowMs,
      };
      this.#nextId += 1;
      box.waiting.push(delivery);
      this.#unwritten.set(delivery.id, { channel: box.name, delivery, state: "waiting" });
    }
  }

  /** Within the caller's transaction; `written` follows when that has succeeded. */
  write(): void {
    for (const { channel, delivery, state, endedAtMs } of this.#unwritten.values()) {
      const { id, notification, createdAtMs, attempts } = delivery;
      this.#store.run(
        `INSERT OR REPLACE INTO alert_deliveries
           (id, channel, notification, state, created_at_ms, ended_at_ms, attempts, error, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[id, channel, notification.id, state, Math.round(createdAtMs), endedAtMs ?? null, attempts],
        this.#boxes.get(channel)?.trouble ?? null,
        // What has ended is known by its id alone.
        state === "waiting" ? JSON.stringify(notification) : "{}",
      );
    }
    for (const { name, lost } of this.#unwrittenLosses) {
      this.#store.run("INSERT OR REPLACE INTO alert_channels (channel, lost) VALUES (?, ?)", name, lost);
    }
  }

  written(): void {
    this.#unwritten.clear();
    this.#unwrittenLosses.clear();
  }

  /** What is to be sent next, and when; undefined: nothing waits. */
  next(channel: string): Delivery | undefined {
    const box = this.#boxes.get(channel);
    if (box === undefined) return undefined;
    // One after another within an incident, so that the end is not heard of before the beginning.
    const incidents = new Set<string>();
    let soonest: Delivery | undefined;
    for (const delivery of box.waiting) {
      const { id } = delivery.notification.incident;
      if (incidents.has(id)) continue;
      incidents.add(id);
      if (soonest === undefined || delivery.nextAtMs < soonest.nextAtMs) soonest = delivery;
    }
    return soonest;
  }

  /** It is being sent from now on. @returns what to send, with what was given up before it */
  take(channel: string, { id, notification }: Delivery): Notification {
    const box = this.#boxes.get(channel);
    if (box === undefined) return notification;
    box.sending = id;
    return box.lost === 0 ? notification : { ...notification, lost: box.lost };
  }

  /** The receiver has it. */
  sent(channel: string, delivery: Delivery, said: Notification, nowMs: number): void {
    const box = this.#boxes.get(channel);
    if (box === undefined) return;
    delete box.failingSinceMs;
    delete box.trouble;
    this.#end(box, delivery, "sent", nowMs);
    if (said.lost === undefined) return;
    box.lost -= said.lost;
    this.#unwrittenLosses.add(box);
  }

  /** @param nextAtMs absent: it is given up */
  failed(channel: string, delivery: Delivery, trouble: string, nowMs: number, nextAtMs?: number): void {
    const box = this.#boxes.get(channel);
    if (box === undefined) return;
    delete box.sending;
    box.failedAttempts += 1;
    box.failingSinceMs ??= nowMs;
    box.trouble = trouble;
    if (nextAtMs === undefined) {
      this.#lose(box, delivery, "dead", nowMs);
      return;
    }
    const again = { ...delivery, attempts: delivery.attempts + 1, nextAtMs };
    box.waiting = box.waiting.map((one) => (one.id === delivery.id ? again : one));
    this.#unwritten.set(again.id, { channel, delivery: again, state: "waiting" });
  }

  get facts(): readonly ChannelFacts[] {
    return Array.from(this.#boxes.values(), ({ name, waiting, lost, failingSinceMs, trouble }) => ({
      name,
      waiting: waiting.length,
      lost,
      ...(failingSinceMs === undefined ? {} : { failingSinceMs }),
      ...(trouble === undefined ? {} : { trouble }),
    }));
  }

  get figures(): readonly OutboxFigures[] {
    return Array.from(this.#boxes.values(), ({ name, waiting, failedAttempts, ended }) => ({
      ...{ name, failedAttempts, ended },
      waiting: waiting.length,
    }));
  }

  /** @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  prune(nowMs: number): void {
    this.#store.run(
      "DELETE FROM alert_deliveries WHERE state <> 'waiting' AND ended_at_ms < ?",
      nowMs - KEPT_MS,
    );
  }

  #end(box: Box, delivery: Delivery, state: Ending, nowMs: number): void {
    box.waiting = box.waiting.filter(({ id }) => id !== delivery.id);
    if (box.sending === delivery.id) delete box.sending;
    box.ended[state] += 1;
    this.#unwritten.set(delivery.id, { channel: box.name, delivery, state, endedAtMs: Math.round(nowMs) });
  }

  #lose(box: Box, delivery: Delivery, state: "dropped" | "dead", nowMs: number): void {
    this.#end(box, delivery, state, nowMs);
    box.lost += 1;
    this.#unwrittenLosses.add(box);
  }

  #read(nowMs: number): void {
    for (const row of this.#store.all("SELECT channel, lost FROM alert_channels")) {
      const box = this.#boxes.get(String(row["channel"]));
      if (box !== undefined) box.lost = Number(row["lost"]);
    }
    for (const row of this.#store.all("SELECT * FROM alert_deliveries WHERE state = 'waiting' ORDER BY id")) {
      const box = this.#boxes.get(String(row["channel"]));
      const delivery: Delivery = {
        id: Number(row["id"]),
        notification: JSON.parse(String(row["body"])) as Notification,
        createdAtMs: Number(row["created_at_ms"]),
        attempts: Number(row["attempts"]),
        // Whatever was the trouble before, somebody has started the daemon again.
        nextAtMs: nowMs,
      };
      if (box !== undefined) box.waiting.push(delivery);
      else {
        const channel = String(row["channel"]);
        this.#unwritten.set(delivery.id, { channel, delivery, state: "dead", endedAtMs: Math.round(nowMs) });
      }
    }
  }
}

function emptyBox(name: string): Box {
  const ended = { sent: 0, replaced: 0, dropped: 0, dead: 0 };
  return { name, waiting: [], lost: 0, failedAttempts: 0, ended };
}
