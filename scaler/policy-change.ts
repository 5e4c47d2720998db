import type { ScalingPolicy, Service, ServiceId } from "../core/types.ts";

export interface PolicyChange {
  readonly service: ServiceId;
  /** Absent: it had none. */
  readonly before?: ScalingPolicy;
  readonly after: ScalingPolicy;
}

/** The services that would be scaled otherwise than now. Whether it is only for show makes no difference here. */
export function policyChanges(
  services: readonly Service[],
  knownBy: (service: ServiceId) => Service | undefined,
): readonly PolicyChange[] {
  return services.flatMap(({ id, scaling: after }) => {
    if (after === undefined) return [];
    const before = knownBy(id)?.scaling;
    if (before === undefined) return [{ service: id, after }];
    return countText(before) === countText(after) ? [] : [{ service: id, before, after }];
  });
}

/** All that decides how many there should be. */
function countText({ dryRun: _, onExternalChange: __, ...policy }: ScalingPolicy): string {
  return JSON.stringify(policy);
}
