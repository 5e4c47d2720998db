import type { World } from "../state/world.ts";

/** Where the world stands. Who looks at it is told once per frame, however often it changed. */
export class Shelf {
  #world: World;
  #isTold = true;
  readonly #onChange: (world: World) => void;

  constructor(world: World, onChange: (world: World) => void) {
    this.#world = world;
    this.#onChange = onChange;
  }

  get world(): World {
    return this.#world;
  }

  change(next: (world: World) => World): void {
    const before = this.#world;
    this.#world = next(before);
    if (this.#world === before || !this.#isTold) return;
    this.#isTold = false;
    requestAnimationFrame(() => {
      this.#isTold = true;
      this.#onChange(this.#world);
    });
  }
}
