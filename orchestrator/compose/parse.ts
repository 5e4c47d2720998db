import {
  Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
  type YAMLParseError,
} from "yaml";
import { formatPath, type YamlMapping, type YamlPath, type YamlValue } from "./values.ts";

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface ParseProblem {
  readonly message: string;
  readonly path: YamlPath;
  readonly position?: Position;
  /** The file expands to more than anyone wrote by hand: an alias bomb, or a depth without end. */
  readonly tooLarge?: boolean;
}

export interface ParsedDocument {
  readonly value: YamlValue;
  /** Where each value stands, by its formatted path. */
  readonly positions: ReadonlyMap<string, Position>;
  /** Places marked `!reset` or `!override`: what earlier files said there is forgotten. */
  readonly resets: readonly YamlPath[];
}

export interface ParseResult {
  readonly documents: readonly ParsedDocument[];
  readonly problems: readonly ParseProblem[];
}

/** Far above any compose file written by people, far below what hurts. */
const MAX_NODES = 200_000;
const MAX_DEPTH = 100;

/** Reads YAML text as docker compose reads it; pure. */
export function parseYaml(text: string): ParseResult {
  const nul = text.indexOf("\0");
  if (nul !== -1) {
    const before = text.slice(0, nul).split("\n");
    const position = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return { documents: [], problems: [{ path: [], position, message: "expected text, got a NUL byte" }] };
  }
  const tooLarge = findExcess(text);
  if (tooLarge !== undefined) return { documents: [], problems: [tooLarge] };
  const lines = new LineCounter();
  const options = {
    lineCounter: lines,
    schema: "failsafe",
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  } as const;
  const parsed = parseAllDocuments(text, options);
  const problems: ParseProblem[] = [];
  const documents: ParsedDocument[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    if (!(document instanceof Document)) continue;
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.push(parseProblem(error, { line, column: col }));
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const converter = new Converter(lines, problems);
    const value = converter.convert(document.contents, []);
    if (value === null && isScalar(document.contents) && (document.contents.source ?? "") === "") continue;
    if (value !== undefined) {
      documents.push({ value, positions: converter.positions, resets: converter.resets });
    }
  }
  return { documents, problems };
}

function parseProblem(error: YAMLParseError, position: Position): ParseProblem {
  if (error.message.startsWith("Maximum call stack")) {
    return { path: [], position, message: TOO_DEEP, tooLarge: true };
  }
  const isTab = error.code === "TAB_AS_INDENT";
  return { path: [], position, message: isTab ? "expected spaces as indentation, got a tab" : error.message };
}

const TOO_DEEP = `expected at most ${MAX_DEPTH} levels of nesting, got more`;
const TOO_MANY = `expected at most ${MAX_NODES} values once every alias is expanded, got more`;

/** What would cost the parser its stack or the machine its memory is found before it is parsed. */
function findExcess(text: string): ParseProblem | undefined {
  const steps = /(?:[?-] ){100}/u.exec(text);
  if (steps !== null) return { path: [], message: TOO_DEEP, tooLarge: true };
  let brackets = 0;
  let separators = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x5b || character === 0x7b) brackets += 1;
    else if ((character === 0x5d || character === 0x7d) && brackets > 0) brackets -= 1;
    else if (character === 0x0a || character === 0x2c) separators += 1;
    if (brackets > 5 * MAX_DEPTH) return { path: [], message: TOO_DEEP, tooLarge: true };
  }
  return separators > 2 * MAX_NODES ? { path: [], message: TOO_MANY, tooLarge: true } : undefined;
}

class Converter {
  readonly positions = new Map<string, Position>();
  readonly resets: YamlPath[] = [];
  readonly #lines: LineCounter;
  readonly #problems: ParseProblem[];
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #nodes = 0;
  #stopped = false;

  constructor(lines: LineCounter, problems: ParseProblem[]) {
    this.#lines = lines;
    this.#problems = problems;
  }

  /** The plain value of a node, or undefined where it was reset or cannot be used. */
  convert(node: Node, path: YamlPath): YamlValue | undefined {
    if (this.#stopped) return undefined;
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) return this.#stop(node, path, TOO_MANY);
    if (path.length > MAX_DEPTH) return this.#stop(node, path, TOO_DEEP);
    if (isAlias(node)) return this.#alias(node, path);
    if (isNode(node) && node.anchor !== undefined && this.#open.size === 0)
      this.#anchors.set(node.anchor, node);
    if (node.tag === "!reset") {
      this.resets.push(path);
      return undefined;
    }
    if (node.tag === "!override") this.resets.push(path);
    if (isScalar(node)) return this.#scalar(node, path);
    if (isSeq(node)) {
      const items: YamlValue[] = [];
      for (const item of node.items) {
        const itemPath = [...path, items.length];
        this.#place(item as Node, itemPath);
        const value = this.convert(item as Node, itemPath);
        if (value !== undefined) items.push(value);
      }
      return items;
    }
    return isMap(node) ? this.#mapping(node, path) : null;
  }

  #alias(node: Node, path: YamlPath): YamlValue | undefined {
    const target = isAlias(node) ? this.#anchors.get(node.source) : undefined;
    if (target === undefined) return this.#problem(node, path, "this alias names no anchor");
    if (this.#open.has(target)) return this.#problem(node, path, "this alias stands inside its own anchor");
    this.#open.add(target);
    const value = this.convert(target, path);
    this.#open.delete(target);
    return value;
  }

  #mapping(node: YAMLMap, path: YamlPath): YamlMapping {
    const own: [string, YamlValue][] = [];
    const merged: YamlMapping[] = [];
    const seen = new Set<string>();
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      const keyNode = pair.key as Node;
      const key = this.#key(keyNode, path);
      if (key === undefined) continue;
      if (seen.has(key)) {
        this.#problem(keyNode, [...path, key], `expected each key once, got "${key}" again`);
        continue;
      }
      seen.add(key);
      if (key === "<<" && isScalar(keyNode) && keyNode.type === "PLAIN") {
        merged.push(...this.#mergeKey(pair.value as Node, path));
        continue;
      }
      const valuePath = [...path, key];
      this.#place(keyNode, valuePath);
      const value = pair.value === null ? null : this.convert(pair.value as Node, valuePath);
      if (value !== undefined) own.push([key, value]);
    }
    const inherited = merged.flatMap((mapping) => Object.entries(mapping)).filter(([key]) => !seen.has(key));
    return Object.fromEntries([...inherited.reverse(), ...own]);
  }

  #key(node: Node, path: YamlPath): string | undefined {
    const value = node === null ? null : this.convert(node, path);
    if (typeof value !== "string") {
      return this.#problem(
        node,
        path,
        `expected a text as key, got ${JSON.stringify(value ?? null)}; put it in quotes`,
      );
    }
    if (value === "__proto__") return this.#problem(node, path, `"__proto__" cannot be a key`);
    return value;
  }

  /** `<<: *a` and `<<: [*a, *b]`; of several, the first that has a key wins. */
  #mergeKey(node: Node, path: YamlPath): YamlMapping[] {
    const target = isAlias(node) ? this.#anchors.get(node.source) : node;
    if (isSeq(target)) return target.items.flatMap((item) => this.#mergeKey(item as Node, path));
    const value = isMap(target) ? this.convert(node, path) : undefined;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return [value];
    this.#problem(node, [...path, "<<"], "expected a mapping, or a list of mappings, to merge");
    return [];
  }

  #scalar(node: Scalar, path: YamlPath): YamlValue | undefined {
    const text = String(node.value ?? "");
    if (text.includes("\0")) return this.#problem(node, path, "expected text, got a NUL byte");
    switch (node.tag) {
      case undefined:
      case "!override":
        return node.type === "PLAIN" || node.type === undefined ? plainScalar(node.source ?? text) : text;
      case "tag:yaml.org,2002:str":
      case "!":
        return text;
      case "tag:yaml.org,2002:int":
      case "tag:yaml.org,2002:float":
      case "tag:yaml.org,2002:bool":
      case "tag:yaml.org,2002:null":
        return plainScalar(text);
      default:
        return this.#problem(node, path, `expected no tag, or !reset or !override, got ${node.tag}`);
    }
  }

  #place(node: Node, path: YamlPath): void {
    const position = this.#position(node);
    if (position !== undefined) this.positions.set(formatPath(path), position);
  }

  #position(node: Node | null): Position | undefined {
    const start = node?.range?.[0];
    if (start === undefined) return undefined;
    const { line, col } = this.#lines.linePos(start);
    return { line, column: col };
  }

  #problem(node: Node, path: YamlPath, message: string, tooLarge = false): undefined {
    const position = this.#position(node);
    this.#problems.push({
      path,
      message,
      ...(position === undefined ? {} : { position }),
      ...(tooLarge ? { tooLarge } : {}),
    });
  }

  #stop(node: Node, path: YamlPath, message: string): undefined {
    this.#stopped = true;
    this.#problem(node, path.slice(0, 3), message, true);
  }
}

const INTEGER = /^[-+]?(?:0b[01]+|0o?[0-7]+|0x[0-9a-f]+|0|[1-9][0-9]*)$/iu;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/u;

/** What a text without quotes means; a leading zero makes an octal number, as file modes are written. */
function plainScalar(source: string): YamlValue {
  switch (source) {
    case "":
    case "~":
    case "null":
    case "Null":
    case "NULL":
      return null;
    case "true":
    case "True":
    case "TRUE":
      return true;
    case "false":
    case "False":
    case "FALSE":
      return false;
    default:
  }
  if (!/^[-+.0-9]/u.test(source)) return source;
  const text = source.replaceAll("_", "");
  if (INTEGER.test(text)) return integer(text) ?? text;
  return FLOAT.test(text) ? Number(text) : source;
}

function integer(text: string): number | undefined {
  const negative = text.startsWith("-");
  const digits = text.replace(/^[-+]/u, "").replace(/^0o?(?=[0-7])/iu, "0o");
  const value = Number(digits) * (negative ? -1 : 1);
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}
