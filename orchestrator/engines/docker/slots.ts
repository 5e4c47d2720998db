/** A container of one service with the number that its label claims. */
export interface Numbered {
  readonly id: string;
  readonly number: string | undefined;
}

export interface Seating {
  readonly slots: ReadonlyMap<string, number>;
  /** Those whose number could not be read; they sit past the highest. */
  readonly garbled: readonly Numbered[];
}

/**
 * Who sits in which slot. One whose number is garbled must stay visible (it runs, and it costs), but must never be
 * taken for one of the wanted slots.
 */
export function seat(containers: readonly Numbered[]): Seating {
  const slots = new Map<string, number>();
  const garbled: Numbered[] = [];
  for (const container of containers) {
    const slot = slotOf(container.number);
    if (slot === undefined) garbled.push(container);
    else slots.set(container.id, slot);
  }
  let next = Math.max(0, ...slots.values()) + 1;
  for (const { id } of garbled.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    slots.set(id, next);
    next += 1;
  }
  return { slots, garbled };
}

function slotOf(number: string | undefined): number | undefined {
  return number !== undefined && /^[1-9]\d{0,8}$/u.test(number) ? Number(number) : undefined;
}
