export function sortedBy<T>(values: readonly T[], key: (value: T) => string | number): T[] {
  return values.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
