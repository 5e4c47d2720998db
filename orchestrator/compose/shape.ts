import { nearest } from "../../core/nearest.ts";
import { parseBoolean, parseDurationNs, parseSize } from "./quantities.ts";
import { describe, has, isMapping, type YamlPath, type YamlValue } from "./values.ts";

/**
 * What may stand at a place of a compose file. A shape may allow several kinds at once, as the short and the long form
 * of a port: each slot that is present allows that kind of value.
 */
export interface Shape {
  /** Ends the sentence "expected …". */
  readonly expects: string;
  readonly nullable?: boolean;
  readonly scalar?: (value: string | number | boolean) => boolean;
  readonly items?: Shape;
  /** The keys of a mapping whose keys are fixed; `x-` keys are always allowed. */
  readonly keys?: Readonly<Record<string, Key>>;
  readonly required?: readonly string[];
  /** The values of a mapping whose keys the user chooses. */
  readonly values?: Shape;
  readonly namePattern?: RegExp;
}

/** What Flyball makes of a key. */
export type Level = "supported" | "warned" | "refused";

export interface Key {
  readonly shape: Shape;
  readonly level: Level;
  /** Why the key is warned about or refused. */
  readonly reason?: string;
}

export interface ShapeProblem {
  readonly severity: "error" | "warning";
  readonly path: YamlPath;
  readonly message: string;
}

export function key(shape: Shape): Key {
  return { shape, level: "supported" };
}

export function warned(shape: Shape, reason: string): Key {
  return { shape, level: "warned", reason };
}

export function refused(reason: string): Key {
  return { shape: anything, level: "refused", reason };
}

export const anything: Shape = { expects: "anything" };

export const text: Shape = { expects: "a text", scalar: (value) => typeof value === "string" };

export const scalar: Shape = { expects: "a text, a number or a boolean", nullable: true, scalar: () => true };

export const textOrNumber: Shape = {
  expects: "a text or a number",
  scalar: (value) => typeof value !== "boolean",
};

export const integer: Shape = {
  expects: "a whole number",
  scalar: (value) => (typeof value === "string" ? /^[-+]?\d+$/u.test(value) : Number.isInteger(value)),
};

export function integerWithin(least: number, most: number): Shape {
  return {
    expects: `a whole number from ${least} to ${most}`,
    scalar: (value) => integer.scalar?.(value) === true && Number(value) >= least && Number(value) <= most,
  };
}

export const count: Shape = {
  expects: "a whole number, zero or more",
  scalar: (value) =>
    typeof value === "string" ? /^\+?\d+$/u.test(value) : Number.isInteger(value) && Number(value) >= 0,
};

export const number: Shape = {
  expects: "a number",
  scalar: (value) => {
    if (typeof value === "string") return value.trim() !== "" && Number.isFinite(Number(value));
    return typeof value === "number";
  },
};

export const boolean: Shape = {
  expects: "true or false",
  scalar: (value) =>
    typeof value === "string" ? parseBoolean(value) !== undefined : typeof value === "boolean",
};

export const duration: Shape = {
  expects: "a duration such as 30s or 1m30s",
  scalar: (value) => typeof value === "string" && parseDurationNs(value) !== undefined,
};

export const size: Shape = {
  expects: "a size such as 64m or 1.5g",
  scalar: (value) => (typeof value === "string" ? parseSize(value) !== undefined : Number.isInteger(value)),
};

export function sizeText(): Shape {
  return { ...size, scalar: (value) => typeof value === "string" && parseSize(value) !== undefined };
}

export function oneOf(...words: string[]): Shape {
  return { expects: `one of ${words.join(", ")}`, scalar: (value) => words.includes(String(value)) };
}

export function listOf(items: Shape, expects = "a list"): Shape {
  return { expects, items };
}

export function mappingOf(values: Shape, namePattern?: RegExp): Shape {
  return { expects: "a mapping", values, ...(namePattern === undefined ? {} : { namePattern }) };
}

export function keysOf(keys: Readonly<Record<string, Key>>, required: readonly string[] = []): Shape {
  return { expects: "a mapping", keys, required };
}

export function orNothing(shape: Shape): Shape {
  return { ...shape, nullable: true };
}

/** Either form, as in "a text or a list of texts". */
export function either(expects: string, ...shapes: Shape[]): Shape {
  return Object.assign({}, ...shapes, { expects }) as Shape;
}

export const texts: Shape = listOf(text, "a list of texts");
export const textOrTexts: Shape = either("a text or a list of texts", text, texts);
export const pairs: Shape = either("a mapping, or a list of NAME=VALUE", mappingOf(scalar), texts);
export const options: Shape = mappingOf(textOrNumber);
export const nullableOptions: Shape = mappingOf({ ...textOrNumber, nullable: true });

/** Every way in which `value` is not of that shape, and every key that Flyball warns about or refuses. */
export function checkShape(value: YamlValue, shape: Shape, path: YamlPath = []): ShapeProblem[] {
  const expected = (what: string, at = path): ShapeProblem[] => [
    { severity: "error", path: at, message: `expected ${what}, got ${describe(value)}` },
  ];
  if (shape === anything) return [];
  if (value === null) return shape.nullable === true ? [] : expected(shape.expects);
  if (Array.isArray(value)) {
    const { items } = shape;
    if (items === undefined) return expected(shape.expects);
    return value.flatMap((item, index) => checkShape(item, items, [...path, index]));
  }
  if (!isMapping(value)) return shape.scalar?.(value) === true ? [] : expected(shape.expects);
  if (shape.keys === undefined && shape.values === undefined) return expected(shape.expects);
  const problems = Object.entries(value).flatMap(([name, item]) => checkEntry(name, item, shape, path));
  for (const name of shape.required ?? []) {
    if (has(value, name)) continue;
    problems.push({ severity: "error", path, message: `expected the key "${name}", which is missing` });
  }
  return problems;
}

function checkEntry(name: string, value: YamlValue, shape: Shape, parent: YamlPath): ShapeProblem[] {
  const path = [...parent, name];
  if (shape.values !== undefined) {
    if (shape.namePattern !== undefined && !shape.namePattern.test(name)) {
      const message = `expected a name of letters, digits, ".", "_" and "-", got ${JSON.stringify(name)}`;
      return [{ severity: "error", path, message }];
    }
    return checkShape(value, shape.values, path);
  }
  if (name.startsWith("x-")) return [];
  const known = Object.hasOwn(shape.keys ?? {}, name) ? shape.keys?.[name] : undefined;
  if (known === undefined) {
    const hint = nearest(name, Object.keys(shape.keys ?? {}));
    const message = `unknown key "${name}"${hint === undefined ? "" : `; did you mean "${hint}"?`}`;
    return [{ severity: "error", path, message }];
  }
  if (known.level === "refused") {
    return [{ severity: "error", path, message: `"${name}" is not supported: ${known.reason}` }];
  }
  const problems = checkShape(value, known.shape, path);
  if (known.level === "warned") {
    problems.push({ severity: "warning", path, message: `"${name}" is not acted upon: ${known.reason}` });
  }
  return problems;
}
