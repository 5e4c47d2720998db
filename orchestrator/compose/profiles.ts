import { asList, asMapping, scalarText, type YamlMapping, type YamlValue } from "./values.ts";

/** Whether a service runs: it has no profile, or one of its profiles is on; `*` turns all on. */
function isEnabled(service: YamlValue, profiles: readonly string[]): boolean {
  const own = asList(asMapping(service)["profiles"]).map(scalarText);
  return own.length === 0 || profiles.includes("*") || own.some((profile) => profiles.includes(profile));
}

/** The document with only the services whose profiles are on. */
export function withProfiles(document: YamlMapping, profiles: readonly string[]): YamlMapping {
  const services = Object.entries(asMapping(document["services"]));
  return {
    ...document,
    services: Object.fromEntries(services.filter(([, service]) => isEnabled(service, profiles))),
  };
}
