import { FlyballError, messageOf } from "../../core/errors.ts";
import type { EndpointDirectory } from "../../core/wire-endpoints.ts";
import { checkTemplate, type Rendered, renderTemplate } from "./liquid.ts";
import { runShell, shellWord } from "./shell.ts";
import { TargetFile } from "./target-file.ts";

/** Where the path of what is to be checked stands in a `--check`. */
const PLACE = "{}";

export interface KeptFileOptions {
  readonly template: string;
  readonly out: string;
  /** With `{}` it is run on the text before that replaces the file, else after; the file comes back when it fails. */
  readonly check?: string;
  /** Takes up a file that has changed. */
  readonly exec?: string;
}

export interface Taken {
  readonly outcome: "unchanged" | "written";
  readonly unknown: Rendered["unknown"];
}

/** A file that is what a template makes of the endpoints. */
export class KeptFile {
  readonly #options: KeptFileOptions;
  readonly #file: TargetFile;
  /** What failed last: the same is not tried again. */
  #failed: { readonly text: string; readonly version: number } | undefined;

  /** @throws FlyballError TEMPLATE_INVALID */
  constructor(options: KeptFileOptions) {
    this.#options = options;
    checkTemplate(options.template);
    this.#file = new TargetFile(options.out);
  }

  /**
   * Brings the file to what the template makes of them, and has the command take it up. What failed is tried again
   * with another text or version, and not before.
   * @throws FlyballError TEMPLATE_INVALID, COMMAND_FAILED
   */
  async take(directory: EndpointDirectory): Promise<Taken> {
    const { template, exec } = this.#options;
    const { text, unknown } = renderTemplate(template, directory);
    const { version } = directory;
    const before = this.#file.read();
    const isOwed = exec !== undefined && this.#file.isOwed;
    const hasFailed = this.#failed?.text === text && this.#failed.version === version;
    if (hasFailed || (text === before && !isOwed)) return { outcome: "unchanged", unknown };
    this.#failed = { text, version };
    if (text !== before) await this.#replace(text, before);
    if (exec !== undefined) {
      await this.#run(exec, "it is run again at the next change");
      this.#file.isOwed = false;
    }
    this.#failed = undefined;
    return { outcome: "written", unknown };
  }

  async #replace(text: string, before: string | undefined): Promise<void> {
    const { check, exec } = this.#options;
    const { isOwed } = this.#file;
    const stays = `${this.#file.path} stays as it was`;
    const draft = this.#file.draft(text);
    try {
      if (check?.includes(PLACE)) await this.#run(check.replaceAll(PLACE, shellWord(draft)), stays);
      // First the debt, then what is owed for: of the two a sudden end may leave the debt alone.
      if (exec !== undefined) this.#file.isOwed = true;
      this.#file.replace();
    } finally {
      this.#file.discardDraft();
    }
    if (check === undefined || check.includes(PLACE)) return;
    try {
      await this.#run(check, stays);
    } catch (error) {
      this.#putBack(before);
      this.#file.isOwed = isOwed;
      throw error;
    }
  }

  async #run(command: string, consequence: string): Promise<void> {
    try {
      await runShell(command);
    } catch (error) {
      throw new FlyballError("COMMAND_FAILED", `${messageOf(error)}: ${consequence}`, { cause: error });
    }
  }

  #putBack(before: string | undefined): void {
    if (before === undefined) this.#file.remove();
    else {
      this.#file.draft(before);
      this.#file.replace();
    }
  }
}
