import { formatPercent } from "../../core/units.ts";
import type { ScreenState } from "./screen.ts";

const EVERY_MS = 2_000;

/** For where nothing can be drawn over: a line when something changed, and one every two seconds. */
export class PlainLines {
  readonly #write: (line: string) => void;
  #phase = "";
  #replicas = "";
  #decisions = 0;
  #nextAtMs = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  draw(state: ScreenState): void {
    const time = `${(state.elapsedMs / 1_000).toFixed(1).padStart(5)} s`;
    const phase = state.phase?.name ?? "";
    if (phase !== this.#phase) this.#write(`${time}  phase ${phase}`);
    for (const { sentence } of state.decisions.slice(this.#decisions)) this.#write(`${time}  ${sentence}`);
    const replicas = replicasText(state);
    const hasChanged = phase !== this.#phase || replicas !== this.#replicas;
    if (hasChanged || state.elapsedMs >= this.#nextAtMs) {
      this.#write(`${time}  ${measuredText(state)}   ${replicas}`);
      this.#nextAtMs = state.elapsedMs + EVERY_MS;
    }
    this.#phase = phase;
    this.#replicas = replicas;
    this.#decisions = state.decisions.length;
  }

  close(): void {}
}

function replicasText({ replicas: { desired, list } }: ScreenState): string {
  const ready = list.filter(({ state }) => state === "running").length;
  return `${ready} of ${desired} replicas ready`;
}

function measuredText({ answered, cpu, latencyMs, counts }: ScreenState): string {
  const rate = `${answered.at(-1) ?? 0}/s`.padStart(6);
  const ratio = cpu.at(-1);
  const use = (ratio === undefined ? "?" : formatPercent(ratio)).padStart(6);
  const p95 = (latencyMs === undefined ? "?" : `${latencyMs.p95} ms`).padStart(8);
  return `${rate}   cpu ${use}   p95 ${p95}   ${counts.failed} failed`;
}
