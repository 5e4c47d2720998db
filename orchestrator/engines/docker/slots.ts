/** A container of one service with the number that its label claims, and its name, which may end in one. */
export interface Numbered {
  readonly id: string;
  readonly number: string | undefined;
  readonly name?: string | undefined;
}

export interface Seating {
  readonly slots: ReadonlyMap<string, number>;
  /** Those whose number could not be read. */
  readonly garbled: readonly Numbered[];
}

/**
 * Who sits in which slot. One whose number is garbled must stay visible: it runs, and it costs. It sits where its name
 * says, when nobody else does, so that no other is to be made under the name that it has; else past the highest.
 */
export function seat(containers: readonly Numbered[]): Seating {
  const slots = new Map<string, number>();
  const garbled: Numbered[] = [];
  for (const container of containers) {
    const slot = slotOf(container.number);
    if (slot === undefined) garbled.push(container);
    else slots.set(container.id, slot);
  }
  const taken = new Set(slots.values());
  const inOrder = garbled.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id, name } of inOrder) {
    const slot = slotOf(/[-_](\d+)$/u.exec(name ?? "")?.[1]);
    if (slot === undefined || taken.has(slot)) continue;
    slots.set(id, slot);
    taken.add(slot);
  }
  let next = Math.max(0, ...taken) + 1;
  for (const { id } of inOrder) {
    if (slots.has(id)) continue;
    slots.set(id, next);
    next += 1;
  }
  return { slots, garbled };
}

function slotOf(number: string | undefined): number | undefined {
  return number !== undefined && /^[1-9]\d{0,8}$/u.test(number) ? Number(number) : undefined;
}
