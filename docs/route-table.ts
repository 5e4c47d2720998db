import { documentOf, type Operation } from "../api/openapi/document.ts";
import { TAGS, type Tag } from "../api/route.ts";
import { ROUTES } from "../api/routes.ts";
import { code, table } from "./markdown.ts";

/** Where there is more to read. */
const PAGES: Readonly<Record<Tag, string>> = {
  health: "metrics.md",
  services: "scaling.md",
  projects: "#projects",
  rollouts: "rollouts.md",
  jobs: "jobs.md",
  discovery: "discovery.md",
  alerts: "alerts.md",
  stream: "#the-stream",
  care: "doctor.md",
  access: "#who-may-ask",
};

/** Every route, by what it is about. */
export function routeTable(): string {
  const operations = Object.entries(documentOf(ROUTES).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const rows = TAGS.flatMap((tag) =>
    operations
      .filter(({ operation }) => operation.tags[0] === tag)
      .map(({ method, path, operation }) => [
        code(`${method.toUpperCase()} ${path}${queryOf(operation)}`),
        operation.summary,
        operation.security[0]?.bearer[0] ?? "",
        `[${tag}](${PAGES[tag]})`,
      ]),
  );
  return table(["route", "what", "scope", "more"], rows);
}

/** `?limit=50&at=` */
function queryOf({ parameters }: Operation): string {
  const names = parameters
    .filter((parameter) => parameter.in === "query")
    .map(({ name, schema }) => `${name}=${schema.default ?? "…"}`);
  return names.length === 0 ? "" : `?${names.join("&")}`;
}
