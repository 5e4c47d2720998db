import { reduce, withAlerts, withServices } from "../state/reduce.ts";
import { ofLink, withHappenings } from "../state/timeline.ts";
import type { Link } from "../state/world.ts";
import { type Api, Refused, troubleText } from "./api.ts";
import { rememberToken } from "./session.ts";
import type { Shelf } from "./shelf.ts";
import { openStream } from "./stream.ts";

const BACK_OFF = { firstMs: 500, factor: 1.7, mostMs: 10_000 };
/** What the stream does not tell: modes, silences, alerts on their way. */
const LOOK_EVERY_MS = { alerts: 5_000, services: 30_000 };
/** What was not answered is asked for again so soon. */
const ASK_AGAIN_MS = 2_000;
/** Within it a pass of the daemon has seen what was asked for from here. */
const NEXT_PASS_MS = 1_500;
/** What is missing is asked for at once, though not for each of a burst of events. */
const OUTDATED_MS = 300;

/**
 * Keeps the shelf's world as the daemon tells it: `opening` until the first answer, `live` while the stream is open,
 * `lost` until it is again, `locked` until a token is given that is good.
 */
export class DaemonLink {
  readonly #api: Api;
  readonly #shelf: Shelf;
  #stream: Disposable | undefined;
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  readonly #askedAtMs = { alerts: 0, services: 0 };

  constructor(api: Api, shelf: Shelf) {
    this.#api = api;
    this.#shelf = shelf;
    setInterval(() => this.#lookAgain(), OUTDATED_MS);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#link.state === "lost") this.open();
    });
    addEventListener("online", () => this.#link.state === "lost" && this.open());
  }

  /** Tries at once. */
  open(): void {
    clearTimeout(this.#retry);
    this.#stream?.[Symbol.dispose]();
    clearTimeout(this.#retry);
    const { position } = this.#shelf.world;
    this.#stream = openStream({
      token: this.#api.token,
      position,
      onFrame: (frame) => {
        if (frame.type === "subscribed") void this.#opened(position?.epoch);
        this.#shelf.change((world) => reduce(world, frame, Date.now()));
      },
      onEnd: () => void this.#ended(),
    });
  }

  unlock(token: string): void {
    this.#api.token = token;
    rememberToken(token);
    this.#setLink({ state: "opening" });
    this.open();
  }

  /** To be called when something was changed from here: asks for the whole now, and when the daemon has acted on it. */
  async changed(): Promise<void> {
    setTimeout(() => void this.refresh(), NEXT_PASS_MS);
    await this.refresh();
  }

  /** Asks for the whole. */
  async refresh(
    what: { services: boolean; alerts: boolean } = { services: true, alerts: true },
  ): Promise<void> {
    this.#isAsking = true;
    try {
      await Promise.all([what.services && this.#askServices(), what.alerts && this.#askAlerts()]);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#lock(error.message);
      this.#askedAtMs.services = Date.now() - LOOK_EVERY_MS.services + ASK_AGAIN_MS;
    } finally {
      this.#isAsking = false;
    }
  }

  async #askServices(): Promise<void> {
    this.#askedAtMs.services = Date.now();
    const snapshot = await this.#api.services();
    this.#shelf.change((world) => withServices(world, snapshot));
  }

  async #askAlerts(): Promise<void> {
    this.#askedAtMs.alerts = Date.now();
    const snapshot = await this.#api.alerts();
    this.#shelf.change((world) => withAlerts(world, snapshot));
  }

  get #link(): Link {
    return this.#shelf.world.link;
  }

  #setLink(link: Link): void {
    this.#shelf.change((world) => ({ ...world, link }));
  }

  async #opened(epochBefore: string | undefined): Promise<void> {
    this.#attempts = 0;
    const was = this.#link;
    this.#setLink({ state: "live" });
    if (was.state === "lost") {
      const isNew = epochBefore !== undefined && epochBefore !== this.#shelf.world.position?.epoch;
      this.#note(isNew ? "connected again: the daemon was started anew" : "connected again", "good");
    }
    await this.refresh();
  }

  async #ended(): Promise<void> {
    this.#stream = undefined;
    const link = this.#link;
    if (link.state === "locked") return;
    if (link.state === "live") this.#note("the connection to the daemon was lost", "bad");
    const sinceMs = link.state === "lost" ? link.sinceMs : Date.now();
    this.#setLink({ state: "lost", sinceMs, retryAtMs: undefined });
    // A socket that is refused does not say why, and a page that is refused does.
    const problem = await this.#api.alerts().catch((error: unknown) => error);
    if (problem instanceof Refused && problem.status === 401) {
      this.#lock(this.#api.token === undefined ? "" : troubleText(problem));
      return;
    }
    if (this.#stream !== undefined) return;
    const { firstMs, factor, mostMs } = BACK_OFF;
    const waitMs = Math.min(mostMs, firstMs * factor ** this.#attempts) * (0.75 + Math.random() / 2);
    this.#attempts += 1;
    this.#setLink({ state: "lost", sinceMs, retryAtMs: Date.now() + waitMs });
    this.#retry = setTimeout(() => this.open(), waitMs);
  }

  #lock(detail: string): void {
    rememberToken(undefined);
    this.#setLink({ state: "locked", detail });
    this.#stream?.[Symbol.dispose]();
  }

  #lookAgain(): void {
    if (this.#link.state !== "live" || this.#isAsking || document.hidden) return;
    const { outdated } = this.#shelf.world;
    const isDue = (what: "alerts" | "services") => Date.now() - this.#askedAtMs[what] > LOOK_EVERY_MS[what];
    const services = outdated.services || isDue("services");
    const alerts = outdated.alerts || isDue("alerts");
    if (services || alerts) void this.refresh({ services, alerts });
  }

  #note(text: string, tone: "good" | "bad"): void {
    this.#shelf.change((world) => ({
      ...world,
      timeline: withHappenings(world.timeline, [ofLink(Date.now(), text, tone)]),
    }));
  }
}
