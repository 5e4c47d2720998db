import type { StreamSamples } from "../../core/wire-stream.ts";
import { type ServiceFacts, serviceView } from "../views.ts";

/** What is seen of every service at this moment, for the stream. */
export function samplesOf(services: readonly ServiceFacts[]): StreamSamples {
  return {
    services: services.map((facts) => {
      const { id, replicas, load } = serviceView(facts);
      return { id, replicas, load, replicaList: facts.replicas.map((replica) => sampleOf(replica, facts)) };
    }),
  };
}

function sampleOf(
  replica: ServiceFacts["replicas"][number],
  { newest }: ServiceFacts,
): StreamSamples["services"][number]["replicaList"][number] {
  const sample = newest(replica);
  const { id, slot, state } = replica;
  return {
    id,
    slot,
    state,
    ...(sample?.cpuCores === undefined ? {} : { cpuCores: sample.cpuCores }),
    ...(sample?.memoryWorkingSetBytes === undefined
      ? {}
      : { memoryWorkingSetBytes: sample.memoryWorkingSetBytes }),
    ...(sample?.requestsPerSecond === undefined ? {} : { requestsPerSecond: sample.requestsPerSecond }),
    ...(sample?.latencyMs === undefined ? {} : { latencyMs: sample.latencyMs }),
  };
}
