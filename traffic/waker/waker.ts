import type { Log } from "../../core/log.ts";
import type { ServiceId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Door, Patience } from "./door.ts";
import { type Place, WaitingRoom } from "./waiting-room.ts";

/** One port of a service that may have no replica. */
export interface Sleeper {
  /** The back-end that it is in the balancer. */
  readonly name: string;
  readonly service: ServiceId;
  readonly mode: "http" | "tcp";
  readonly places: readonly Place[];
}

export interface WakerOptions {
  readonly log: Log;
  /** Somebody waits for the service, who is the first to. */
  readonly onWaiting: (service: ServiceId) => void;
  readonly patience?: Patience;
  /** Ports of doors that the balancer knows from before, by back-end. */
  readonly knownPorts?: Readonly<Record<string, number>>;
}

/** A browser gives up on nothing sooner than a person does. */
const PATIENCE: Patience = { personMs: 3 * SECOND_MS, programMs: 30 * SECOND_MS };
/** Of one back-end. */
const MOST_WAITING = 1_000;

interface Opened {
  readonly service: ServiceId;
  readonly mode: Sleeper["mode"];
  readonly room: WaitingRoom;
  readonly door: Door;
}

/**
 * Stands where a sleeping service would: the balancer leads requests here while it has nobody else, and here they are
 * held until a replica is ready and then passed on.
 */
export class Waker implements AsyncDisposable {
  readonly #options: WakerOptions;
  readonly #doors = new Map<string, Opened>();

  constructor(options: WakerOptions) {
    this.#options = options;
  }

  /** Doors for these back-ends and for no other; whoever waits goes to where somebody serves by now. */
  async keep(sleepers: readonly Sleeper[]): Promise<void> {
    const wanted = new Map(sleepers.map((sleeper) => [sleeper.name, sleeper]));
    for (const [name, { mode, room, door }] of this.#doors) {
      if (wanted.get(name)?.mode === mode) continue;
      this.#doors.delete(name);
      room.close();
      await door[Symbol.asyncDispose]();
    }
    for (const sleeper of sleepers) {
      const opened = this.#doors.get(sleeper.name) ?? (await this.#open(sleeper));
      opened.room.open(sleeper.places);
    }
  }

  /** By back-end: the port of this machine that it is led to while nobody else serves. */
  get ports(): Readonly<Record<string, number>> {
    return Object.fromEntries(Array.from(this.#doors, ([name, { door }]) => [name, door.port]));
  }

  /** Who waits for each service, and what is under way through here, by service. */
  get signs(): ReadonlyMap<ServiceId, { readonly waiting: number; readonly open: number }> {
    const signs = new Map<ServiceId, { waiting: number; open: number }>();
    for (const { service, room, door } of this.#doors.values()) {
      const before = signs.get(service) ?? { waiting: 0, open: 0 };
      signs.set(service, { waiting: before.waiting + room.waiting, open: before.open + door.open });
    }
    return signs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keep([]);
  }

  async #open({ name, service, mode }: Sleeper): Promise<Opened> {
    const { onWaiting, patience = PATIENCE, knownPorts = {}, log } = this.#options;
    const room = new WaitingRoom(MOST_WAITING, () => {
      log.info({ service }, "somebody waits for a service that sleeps");
      onWaiting(service);
    });
    // Loaded where a service may sleep: a daemon without one does without its 5 MB.
    const { openHttpDoor, openTcpDoor } = await import("./door.ts");
    const openDoor = mode === "http" ? openHttpDoor : openTcpDoor;
    const door = await openDoor(room, patience, knownPorts[name] ?? 0);
    const opened = { service, mode, room, door };
    this.#doors.set(name, opened);
    return opened;
  }
}
