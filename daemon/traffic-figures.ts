import { STALE_AFTER_MS } from "../core/staleness.ts";
import type { ReplicaId, Sample, TrafficReading } from "../core/types.ts";

/** The samples with what the balancer counted for replicas that do not tell their requests themselves. */
export function withTraffic(
  samples: readonly Sample[],
  readings: readonly TrafficReading[],
  nowMs: number,
): readonly Sample[] {
  const ofReplica = new Map(
    readings.flatMap((reading) =>
      reading.replica === undefined || nowMs - reading.readAtMs > STALE_AFTER_MS
        ? []
        : [[reading.replica, reading]],
    ),
  );
  if (ofReplica.size === 0) return samples;
  return samples.map((sample) => {
    const reading = ofReplica.get(sample.replica);
    if (sample.requestsPerSecond !== undefined || reading?.requestsPerSecond === undefined) return sample;
    const { requestsPerSecond, latencyMs } = reading;
    return { ...sample, requestsPerSecond, ...(latencyMs === undefined ? {} : { latencyMs }) };
  });
}

/**
 * How much each replica has to do, to be compared within its service: of what the balancer leads requests to, what is
 * under way counts first, because it would have to be waited for or cut; of the rest, the cores that are used.
 */
export function loadOf(
  cores: ReadonlyMap<ReplicaId, number>,
  readings: readonly TrafficReading[],
): ReadonlyMap<ReplicaId, number> {
  const load = new Map(cores);
  for (const { replica, open, requestsPerSecond = 0 } of readings) {
    if (replica !== undefined) load.set(replica, open + requestsPerSecond / 1e6);
  }
  return load;
}
