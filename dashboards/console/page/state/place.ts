/** Where in the page one is; in the address behind the `#`, so that it can be sent to somebody. */
export type Place =
  | { readonly page: "services" | "alerts" | "timeline" | "nodes" }
  | { readonly page: "service"; readonly id: string; readonly decisionAtMs: number | undefined };

export function placeOf(hash: string): Place {
  const [page = "", id = "", at = ""] = hash.replace(/^#\/?/, "").split("/");
  if (page === "service" && id !== "") {
    const decisionAtMs = /^\d+$/.test(at) ? Number(at) : undefined;
    return { page: "service", id: decoded(id), decisionAtMs };
  }
  return page === "alerts" || page === "timeline" || page === "nodes" ? { page } : { page: "services" };
}

export function serviceHref(id: string, decisionAtMs?: number): string {
  return `#/service/${encodeURIComponent(id)}${decisionAtMs === undefined ? "" : `/${decisionAtMs}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
