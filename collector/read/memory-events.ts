import { join } from "node:path/posix";
import type { KeptFile } from "./kept-file.ts";
import { openIfPresent, pickFrom, wholeNumber } from "./kept-numbers.ts";
import { KeyedNumbers } from "./keyed-numbers.ts";
import type { Measurement, MeasurementReader } from "./measurement.ts";
import { Stillness } from "./stillness.ts";

/** Events are rare: looked at in one of so many readings. */
const LOOK_EVERY = 5;
/** Of these looks, where no task ran. */
const LEFT_OUT_AT_MOST = 1;

const oomControl = new KeyedNumbers(["oom_kill"]);
const events = new KeyedNumbers(["max", "oom_kill"]);

/** Reads what happened to a cgroup's memory: the most that it used, and when there was not enough. */
export class MemoryEventsReader implements MeasurementReader {
  readonly #files: DisposableStack;
  readonly #maxUsage: KeptFile | undefined;
  readonly #limitHits: KeptFile | undefined;
  readonly #oomControl: KeptFile | undefined;
  readonly #events: KeptFile | undefined;
  readonly #stillness = new Stillness(LEFT_OUT_AT_MOST);
  #reads = 0;
  #found: Pick<Measurement, "memoryMaxUsageBytes" | "memoryLimitHits" | "oomKills"> = {
    memoryMaxUsageBytes: undefined,
    memoryLimitHits: undefined,
    oomKills: undefined,
  };

  constructor(directory: string, version: 1 | 2) {
    using files = new DisposableStack();
    const open = (file: string): KeptFile | undefined => files.use(openIfPresent(join(directory, file)));
    if (version === 1) {
      this.#maxUsage = open("memory.max_usage_in_bytes");
      this.#limitHits = open("memory.failcnt");
      this.#oomControl = open("memory.oom_control");
    } else {
      this.#maxUsage = open("memory.peak");
      this.#events = open("memory.events");
    }
    this.#files = files.move();
  }

  readInto(into: Measurement): void {
    const isDue = this.#reads % LOOK_EVERY === 0;
    if (isDue && !this.#stillness.holds(into.cpuUsageSeconds, into.memoryUsageBytes)) this.#look();
    this.#reads += 1;
    into.memoryMaxUsageBytes = this.#found.memoryMaxUsageBytes;
    into.memoryLimitHits = this.#found.memoryLimitHits;
    into.oomKills = this.#found.oomKills;
  }

  #look(): void {
    this.#found = {
      memoryMaxUsageBytes: pickFrom(this.#maxUsage, wholeNumber),
      memoryLimitHits: pickFrom(this.#limitHits, wholeNumber),
      oomKills: pickFrom(this.#oomControl, ({ bytes, length }) => {
        oomControl.parse(bytes, length);
        return oomControl.get(0);
      }),
    };
    pickFrom(this.#events, ({ bytes, length }) => {
      events.parse(bytes, length);
      this.#found.memoryLimitHits = events.get(0);
      this.#found.oomKills = events.get(1);
    });
  }

  [Symbol.dispose](): void {
    this.#files.dispose();
  }
}
