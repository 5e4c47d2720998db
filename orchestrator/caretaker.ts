import type { Clock } from "../core/clock.ts";
import { FlyballError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { ObservedState, Project, ServiceId } from "../core/types.ts";
import { diagnose } from "./doctor/doctor.ts";
import type { Verdict } from "./doctor/verdict.ts";
import type { Engine } from "./engine.ts";
import { Housekeeping, type Swept } from "./housekeeping/housekeeping.ts";
import type { Sweep } from "./housekeeping/judge.ts";
import { readInstance } from "./instance.ts";
import type { Scene } from "./scene/scene.ts";
import { Scenes } from "./scene/scenes.ts";

export interface CaretakerOptions {
  readonly engine: Engine;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** All that are managed, also those that are being removed. */
  readonly projects: () => readonly Project[];
}

export interface Examination {
  readonly services: readonly Verdict[];
  readonly leftovers?: Sweep;
  /** What could not be looked at, and why. */
  readonly missing: readonly string[];
}

/** Answers what a person asks about what replicas left behind, and about what stands in the way of more of them. */
export class Caretaker implements AsyncDisposable {
  /** To be told of what is seen, and asked before what is done. */
  readonly scenes: Scenes;
  readonly #engine: Engine;
  readonly #projects: () => readonly Project[];
  readonly #housekeeping: Housekeeping;
  readonly #abort = new AbortController();

  constructor({ engine, store, clock, log, projects }: CaretakerOptions) {
    this.scenes = new Scenes({ engine, store, clock, log });
    this.#engine = engine;
    this.#projects = projects;
    this.#housekeeping = new Housekeeping({
      engine,
      store,
      clock,
      log,
      // Without one nothing was made yet, and nothing carries an empty mark.
      instanceId: readInstance(store)?.id ?? "",
      projects,
    });
  }

  /** To be called after each pass that saw the engine. */
  observed(observed: ObservedState): void {
    this.#housekeeping.observed(observed);
  }

  /** @throws FlyballError NOT_FOUND */
  failures(service: ServiceId): readonly Scene[] {
    if (!this.#projects().some(({ services }) => services.some(({ id }) => id === service))) {
      throw new FlyballError("NOT_FOUND", `there is no service ${service}`);
    }
    return this.scenes.of(service);
  }

  /** @throws FlyballError NOT_FOUND for a project that is not managed */
  async doctor(name: string | undefined): Promise<Examination> {
    const projects = this.#projects().filter((project) => name === undefined || project.name === name);
    if (name !== undefined && projects.length === 0) {
      throw new FlyballError("NOT_FOUND", `there is no project ${name}`);
    }
    const { signal } = this.#abort;
    const missing: string[] = [];
    const services: Verdict[] = [];
    for (const project of projects) {
      try {
        services.push(...(await diagnose(project, this.#engine.kind, this.#engine, signal)));
      } catch (error) {
        missing.push(`what runs of ${project.name}: ${messageOf(error)}`);
        services.push(...(await diagnose(project, this.#engine.kind, undefined, signal)));
      }
    }
    try {
      return { services, leftovers: await this.leftovers(), missing };
    } catch (error) {
      return { services, missing: [...missing, `what was left behind: ${messageOf(error)}`] };
    }
  }

  /** @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED */
  leftovers(): Promise<Sweep> {
    return this.#housekeeping.plan();
  }

  async sweep({ keys }: { readonly keys: readonly string[] }): Promise<{ swept: readonly Swept[] }> {
    return { swept: await this.#housekeeping.sweep(keys) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.scenes[Symbol.asyncDispose]();
    await this.#housekeeping[Symbol.asyncDispose]();
  }
}
