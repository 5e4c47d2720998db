import { z } from "zod";

/** Where services answer, as the API says it to balancers and templates; see core/wire.ts. */

/** One port of a replica that is ready. */
export const readyEndpointSchema = z.object({
  replica: z.string(),
  slot: z.number(),
  host: z.string(),
  port: z.number(),
  /** The port inside the replica. */
  targetPort: z.number(),
  /** Since when the replica is ready, as far as it was seen. */
  readyAtMs: z.number().exactOptional(),
});

/** Ordered by slot, then as the compose file orders a replica's ports. */
export const endpointSetSchema = z.object({
  service: z.string(),
  project: z.string(),
  name: z.string(),
  businessLabels: z.record(z.string(), z.string()),
  /**
   * Another one whenever anything above or below differs, and a greater one: the instant of the change, or one more
   * than the version before. A daemon that has started again gives new ones.
   */
  version: z.number(),
  endpoints: z.array(readyEndpointSchema).readonly(),
});

/** Every service, one without any ready replica among them. */
export const endpointDirectorySchema = z.object({
  /** That of the last change of any service, or of which there are. */
  version: z.number(),
  services: z.array(endpointSetSchema).readonly(),
});

/** Prometheus' HTTP service discovery: https://prometheus.io/docs/prometheus/latest/http_sd/ */
export const targetGroupListSchema = z.array(
  z.object({ targets: z.array(z.string()), labels: z.record(z.string(), z.string()) }),
);

export type ReadyEndpoint = z.infer<typeof readyEndpointSchema>;
export type EndpointSet = z.infer<typeof endpointSetSchema>;
export type EndpointDirectory = z.infer<typeof endpointDirectorySchema>;
export type TargetGroup = z.infer<typeof targetGroupListSchema>[number];
