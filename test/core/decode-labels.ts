import { type DecodedLabels, decodeLabels } from "../../core/labels.ts";
import type { Resources } from "../../core/types.ts";

export const PATH = "services.web.labels";

export function decode(labels: Record<string, string>, resources: Resources = {}): DecodedLabels {
  return decodeLabels(labels, resources, PATH);
}

/** Every diagnostic as one line, its place without the part that all share. */
export function said(decoded: DecodedLabels): string[] {
  return decoded.diagnostics.map(
    ({ severity, path, message }) => `${severity} ${path.replace(`${PATH}.`, "")}: ${message}`,
  );
}
