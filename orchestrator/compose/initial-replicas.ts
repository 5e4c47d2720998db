import type { Diagnostics } from "../../core/diagnostics.ts";
import type { ComposeService } from "./model.ts";

/** The count that a service starts from: compose's own keys, else the label; a global one has no count. */
export function initialReplicas(
  { scale, deploy }: ComposeService,
  labelled: number | undefined,
  isGlobal: boolean,
  path: string,
  diagnostics: Diagnostics,
): number {
  const place = { path: `${path}.labels.aliyun.scale` };
  if (isGlobal) {
    if (labelled !== undefined) {
      diagnostics.warning(place, "has no meaning for a global service, which has one replica on each node");
    }
    return 1;
  }
  const own = scale ?? deploy?.replicas;
  if (own === undefined) return labelled ?? 1;
  if (labelled !== undefined && labelled !== own) {
    const key = scale === undefined ? "deploy.replicas" : "scale";
    diagnostics.warning(place, `${labelled} is not used: ${key}, which is ${own}, goes first`);
  }
  return own;
}
