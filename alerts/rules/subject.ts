import type { AlertRuleName } from "../../core/alert-rules.ts";
import type { AlertFacts, ServiceFacts } from "../facts.ts";
import type { Finding } from "../rule.ts";

type AboutService = Omit<Finding, "subject" | "labels">;

/** One finding for each service that the rule has something to say of, whatever its labels turn off. */
export function ofServices(
  facts: AlertFacts,
  rule: AlertRuleName,
  look: (service: ServiceFacts) => AboutService | undefined,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const service of facts.services) {
    if (service.off.includes(rule)) continue;
    const finding = look(service);
    if (finding !== undefined) findings.push({ ...finding, ...identityOf(service) });
  }
  return findings;
}

export function identityOf({
  id,
  project,
  businessLabels,
}: ServiceFacts): Pick<Finding, "subject" | "labels"> {
  return { subject: { project, service: id }, labels: businessLabels };
}
