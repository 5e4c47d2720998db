import type { ComposeService } from "../compose/model.ts";
import { NOTHING_RUNS, type RunningFacts } from "./facts.ts";

/** What a compose file says that no template of ours carries on. */
export function factsFromCompose(service: ComposeService): RunningFacts {
  const perNetwork = Object.values(service.networks ?? {}).flatMap((network) => network?.mac_address ?? []);
  return {
    ...NOTHING_RUNS,
    macAddresses: [
      ...new Set([...(service.mac_address === undefined ? [] : [service.mac_address]), ...perNetwork]),
    ],
    links: (service.links ?? []).map((link) => link.split(":", 1)[0] ?? link),
  };
}
