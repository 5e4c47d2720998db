import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type EngineName, startEngine, stopEngine } from "../lab/engine.ts";
import { importImage } from "../lab/image.ts";
import { labDirectory } from "../lab/paths.ts";
import { readState } from "../lab/state.ts";
import type { Ground } from "./ground.ts";

/** An engine that nobody else works on, in a directory of its own, made of the lab's packages. */
export class OwnEngine implements AsyncDisposable {
  readonly directory: string;
  readonly name: EngineName;

  private constructor(directory: string, name: EngineName) {
    this.directory = directory;
    this.name = name;
  }

  static async start(name: EngineName, prepare?: (directory: string, name: EngineName) => Promise<void>) {
    const packages = join(labDirectory(), "packages");
    if (!existsSync(packages))
      throw new Error("the lab's packages are not there: run `npm run lab -- up` first");
    const engine = new OwnEngine(mkdtempSync("/var/tmp/flyball-chaos-"), name);
    try {
      symlinkSync(packages, join(engine.directory, "packages"));
      await prepare?.(engine.directory, name);
      await importImage((await engine.ensure()).socketPath);
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts it when it does not answer. */
  ensure() {
    return startEngine(this.directory, this.name, () => undefined);
  }

  get state() {
    const state = readState(this.directory).find(({ name }) => name === this.name);
    if (state === undefined) throw new Error(`there is no engine ${this.name} in ${this.directory}`);
    return state;
  }

  get ground(): Ground {
    const { name, socketPath, version = "" } = this.state;
    return { name, lab: { name, socketPath, version }, isOwn: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of readState(this.directory)) await stopEngine(this.directory, engine);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
