import { FlyballError } from "../../core/errors.ts";

/** A project's name made of any text: lower case letters, digits, `-` and `_`, starting with a letter or a digit. */
export function normalizeProjectName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/gu, "")
    .replace(/^[_-]+/u, "");
}

/** The name that a person chose for the project, unchanged; throws when it is none. */
export function requireProjectName(name: string): string {
  if (name !== "" && name === normalizeProjectName(name)) return name;
  throw new FlyballError(
    "COMPOSE_INVALID",
    `expected a project name of lower case letters, digits, "-" and "_" that starts with a letter or a digit, got ${JSON.stringify(name)}`,
  );
}
