/** What one reader finds at one instant. A value that could not be read is absent. */
export interface Measurement {
  /** Counter: seconds of CPU time. */
  readonly cpuUsageSeconds?: number;
  /** Counter: seconds held back by a CPU limit. */
  readonly cpuThrottledSeconds?: number;
  readonly memoryUsageBytes?: number;
  readonly memoryWorkingSetBytes?: number;
}

/** Reads one replica again and again; holds descriptors until it is disposed of. */
export interface MeasurementReader extends Disposable {
  /** @throws GoneError when what it reads has ended */
  read(): Measurement;
}

/** Usage without the file cache that the kernel would give up first. */
export function workingSetBytes(
  usageBytes: number | undefined,
  inactiveFileBytes: number | undefined,
): number | undefined {
  if (usageBytes === undefined || inactiveFileBytes === undefined) return undefined;
  return Math.max(0, usageBytes - inactiveFileBytes);
}

/** The measurement without its unknown values. */
export function measurementOf(
  values: {
    readonly [Key in keyof Measurement]: Measurement[Key] | undefined;
  },
): Measurement {
  const { cpuUsageSeconds, cpuThrottledSeconds, memoryUsageBytes, memoryWorkingSetBytes } = values;
  return {
    ...(cpuUsageSeconds !== undefined && { cpuUsageSeconds }),
    ...(cpuThrottledSeconds !== undefined && { cpuThrottledSeconds }),
    ...(memoryUsageBytes !== undefined && { memoryUsageBytes }),
    ...(memoryWorkingSetBytes !== undefined && { memoryWorkingSetBytes }),
  };
}
