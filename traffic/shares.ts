import type { ObservedReplica, ReplicaId, ServiceId } from "../core/types.ts";

/** Of a service's requests, by the hash of the template; a service that is not here leads to each replica alike. */
export type Shares = ReadonlyMap<ServiceId, ReadonlyMap<string, number>>;

/** A server with its share of its template's weight, 0 to 100. */
interface Weighted {
  readonly replica: ReplicaId;
  readonly weight: number;
}

const MOST = 100;

/**
 * The servers with weights by which each template gets its share of the requests, whatever the numbers of replicas. A
 * template without a server leaves its share to the others, and one without a share gets nothing while others serve.
 */
export function withShares<Server extends Weighted>(
  servers: readonly Server[],
  replicas: readonly ObservedReplica[],
  shares: ReadonlyMap<string, number> | undefined,
): readonly Server[] {
  if (shares === undefined) return servers;
  const hashOf = new Map(replicas.map(({ id, templateHash }) => [id, templateHash]));
  const shareOf = ({ replica }: Server) => shares.get(hashOf.get(replica) ?? "") ?? 0;
  const total = new Map<string | undefined, number>();
  for (const { replica, weight } of servers) {
    const hash = hashOf.get(replica);
    total.set(hash, (total.get(hash) ?? 0) + weight);
  }
  const parts = servers.map((server) => {
    const sum = total.get(hashOf.get(server.replica)) ?? 0;
    return sum === 0 ? 0 : (shareOf(server) * server.weight) / sum;
  });
  const largest = Math.max(...parts);
  if (servers.length === 0 || largest === 0) return servers;
  return servers.flatMap((server, index) => {
    const part = parts[index] ?? 0;
    if (part === 0) return [];
    return [{ ...server, weight: Math.max(1, Math.round((MOST * part) / largest)) }];
  });
}
