/** One value, as read by the collector and, just before and just after, as the kernel's own file says it. */
export interface Compared {
  readonly what: string;
  /** Absent: the collector has no such value. */
  readonly ours?: number;
  readonly kernelBefore: number;
  readonly kernelAfter: number;
  /** What was done, where that is known. */
  readonly truth?: number;
}
