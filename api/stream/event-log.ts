import type { ServerFrame, Topic } from "../../core/wire-stream.ts";

type EventFrame = Extract<ServerFrame, { type: "event" }>;

/** An event as it is sent: made once, whoever hears it. */
export interface StreamEvent {
  readonly seq: number;
  readonly topic: Topic;
  readonly text: string;
}

export interface EventLogLimits {
  readonly events: number;
  readonly bytes: number;
}

/**
 * Numbers what happens, and keeps the last of it for those who come back. Samples are numbered and not kept: the next
 * ones are a second away.
 */
export class EventLog {
  readonly #limits: EventLogLimits;
  readonly #kept: StreamEvent[] = [];
  #bytes = 0;
  #seq = 0;
  /** The newest that was given up. */
  #forgotten = 0;

  constructor(limits: EventLogLimits) {
    this.#limits = limits;
  }

  /** Of the newest event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  add(topic: Topic, data: unknown, atMs: number): StreamEvent {
    this.#seq += 1;
    const frame: EventFrame = { type: "event", topic, seq: this.#seq, atMs, data };
    const event = { seq: this.#seq, topic, text: JSON.stringify(frame) };
    if (topic === "samples") return event;
    this.#kept.push(event);
    this.#bytes += event.text.length;
    while (this.#kept.length > this.#limits.events || this.#bytes > this.#limits.bytes) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.text.length;
      this.#forgotten = oldest.seq;
    }
    return event;
  }

  /** What came after that number, oldest first; undefined when some of it is not kept any more, or it never was. */
  since(seq: number): readonly StreamEvent[] | undefined {
    if (seq < this.#forgotten || seq > this.#seq) return undefined;
    return this.#kept.filter((event) => event.seq > seq);
  }
}
