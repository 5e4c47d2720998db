import type { PlanKind } from "./plans.ts";
import { type Aim, MOMENTS } from "./stepped-socket.ts";

/** Goes through every moment of every step of each kind of plan, and starts again where a plan turns out to end. */
export class Aims {
  readonly #next = new Map<PlanKind, number>();
  readonly #hit = new Map<PlanKind, Set<string>>();

  next(kind: PlanKind): Aim {
    const number = this.#next.get(kind) ?? 0;
    this.#next.set(kind, number + 1);
    return {
      step: Math.floor(number / MOMENTS.length) + 1,
      moment: MOMENTS[number % MOMENTS.length] ?? "before",
    };
  }

  hit(kind: PlanKind, { step, moment }: Aim): void {
    const hit = this.#hit.get(kind) ?? new Set();
    this.#hit.set(kind, hit.add(`${step} ${moment}`));
  }

  /** The plan has fewer steps than that. */
  missed(kind: PlanKind): void {
    this.#next.delete(kind);
  }

  /** Different moments that were struck. */
  get covered(): number {
    return [...this.#hit.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
