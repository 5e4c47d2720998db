/** However still it is: what moves all the same, as pages that the kernel takes back, is seen so many readings late. */
const LEFT_OUT_AT_MOST = 9;

/** Readers begin apart, so that those that are always still are not all read in the same round. */
let begun = 0;

/**
 * Says when a reading can be left out, because nothing can have moved what it would find: CPU time is counted to the
 * nanosecond or microsecond, so no task ran where it stands still, and most of a cgroup's numbers move only by its tasks.
 */
export class Stillness {
  readonly #atMost: number;
  #first: number | undefined;
  #second: number | undefined;
  #leftOut = 0;

  constructor(atMost: number = LEFT_OUT_AT_MOST) {
    this.#atMost = atMost;
  }

  /** True when both numbers are those of the last call, and not too many in a row were. An absent one tells nothing. */
  holds(first: number | undefined, second: number | undefined): boolean {
    const isFirstCall = this.#first === undefined;
    const isStill =
      first !== undefined && second !== undefined && first === this.#first && second === this.#second;
    this.#first = first;
    this.#second = second;
    if (isStill && this.#leftOut < this.#atMost) {
      this.#leftOut += 1;
      return true;
    }
    this.#leftOut = 0;
    if (isFirstCall) {
      this.#leftOut = begun % (this.#atMost + 1);
      begun += 1;
    }
    return false;
  }
}
