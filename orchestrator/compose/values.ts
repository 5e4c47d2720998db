/** A compose document as plain values: what YAML says, before any meaning is given to it. */
export type YamlValue = null | boolean | number | string | YamlValue[] | YamlMapping;

export interface YamlMapping {
  [key: string]: YamlValue;
}

/** A place in the tree: mapping keys, and list indexes as numbers. */
export type YamlPath = readonly (string | number)[];

/** Takes a problem and the place it is at. */
export type Report = (path: YamlPath, message: string) => void;

export function isMapping(value: YamlValue | undefined): value is YamlMapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The mapping, or an empty one where the value is something else or missing. */
export function asMapping(value: YamlValue | undefined): YamlMapping {
  return isMapping(value) ? value : {};
}

/** The list, or an empty one where the value is something else or missing. */
export function asList(value: YamlValue | undefined): YamlValue[] {
  return Array.isArray(value) ? value : [];
}

/** `services.web.ports[0].target`. */
export function formatPath(path: YamlPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** The value named for a message: `the number 5`, `a list`, `"five"`. */
export function describe(value: YamlValue): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
    case "number":
      return `the number ${value}`;
    case "boolean":
      return `the boolean ${value}`;
    default:
      return "a mapping";
  }
}

/** The text of a scalar, as docker compose prints it into a label or an environment variable. */
export function scalarText(value: YamlValue): string {
  if (value === null) return "";
  if (typeof value === "number") return numberText(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function numberText(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/u, "e-0$1");
}

/** Whether the mapping itself has the key; names that users choose may be `constructor` and the like. */
export function has(mapping: YamlMapping, name: string): boolean {
  return Object.hasOwn(mapping, name);
}

export function mapValues(
  mapping: YamlMapping,
  change: (value: YamlValue, key: string) => YamlValue,
): YamlMapping {
  return Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, change(value, key)]));
}
