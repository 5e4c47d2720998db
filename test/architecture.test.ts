import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { describe, test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const ROOMS = ["collector", "scaler", "orchestrator", "traffic", "alerts", "dashboards", "api", "cli"];
/** Where the rooms meet: what starts them, and the files beside it that pass values between them. */
const COMPOSITION_ROOT = "daemon.ts";
/** It prints the tables of all rooms, and is part of none. */
const isDocumentation = (path: string) => path.startsWith("docs/");
const isComposition = (path: string) => path === COMPOSITION_ROOT || path.startsWith("daemon/");

/** One input object in, one value out: no clock, no chance, nothing from outside. */
const PURE_FILES = [
  "scaler/decide.ts",
  "scaler/governor.ts",
  "scaler/explain.ts",
  "scaler/what-if.ts",
  "scaler/record.ts",
  "scaler/record-text.ts",
  "scaler/forecast/forecast.ts",
  "scaler/backtest/simulate.ts",
  "api/discovery/endpoint-sets.ts",
  "orchestrator/reconcile.ts",
  "alerts/evaluate.ts",
  "alerts/rules/built-in.ts",
  "alerts/rules/thresholds.ts",
  "alerts/queue.ts",
  "alerts/backoff.ts",
  "orchestrator/rollout/advance.ts",
  "orchestrator/rollout/policy.ts",
  "orchestrator/rollout/trial.ts",
  "orchestrator/rollout/on-trial.ts",
  "orchestrator/rollout/evidence.ts",
  "orchestrator/rollout/proportions.ts",
  "orchestrator/jobs/due.ts",
  "orchestrator/jobs/note.ts",
  "orchestrator/jobs/advance.ts",
  "orchestrator/jobs/tidy.ts",
  "dashboards/console/page/state/reduce.ts",
  "dashboards/console/page/state/timeline.ts",
  "dashboards/console/page/state/select.ts",
  "dashboards/console/page/state/series.ts",
  "dashboards/console/page/state/format.ts",
  "dashboards/console/page/state/place.ts",
  "orchestrator/ownership/look.ts",
  "orchestrator/ownership/attribute.ts",
  "orchestrator/ownership/settle.ts",
  "orchestrator/compose/interpolate.ts",
  "orchestrator/compose/merge.ts",
  "orchestrator/compose/normalize.ts",
  "collector/read/rates.ts",
  "traffic/table.ts",
  "traffic/changes.ts",
  "traffic/ramp.ts",
  "traffic/readings.ts",
  "core/traffic-labels.ts",
  "core/units.ts",
  "core/nearest.ts",
  "core/labels.ts",
  "core/label-values.ts",
  "core/diagnostics.ts",
];
/** Arithmetic on text. What of it looks at the working directory is impure by name. */
const PURE_BUILTINS = ["node:path", "node:path/posix"];
const IMPURE =
  /\b(?:resolve\(|relative\(|Date\.now|new Date\(\)|performance\b|Math\.random|await\b|process\.|setTimeout|setInterval|setImmediate|fetch\(|console\.|crypto\b)/;

/** What is started by its path and imported by nobody. */
const ENTRY_POINTS = [
  COMPOSITION_ROOT,
  "cli/main.ts",
  "collector/main.ts",
  "dashboards/generate.ts",
  "dashboards/console/build.ts",
  "dashboards/console/page/main.ts",
  "dashboards/console/page/theme.ts",
];

/** What is run from a checkout, and not by who installed Flyball; the console's page is bundled there. */
const FOR_DEVELOPERS = ["examples/", "dashboards/boards/", "dashboards/console/"];

/** It runs in a browser: of core it has types, which are gone by then, and units, which are written alike everywhere. */
const PAGE = "dashboards/console/page/";
const FOR_THE_PAGE = ["core/units.ts"];

/** The top level: the house, then what tools and people expect to find beside it. */
const HOUSE = [
  "package.json",
  "tsconfig.json",
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  COMPOSITION_ROOT,
];
const FOLDERS = ["core", "daemon", ...ROOMS, "examples", "docs", "test"];
const TOOLING = [".ci", ".gitignore", ".npmrc", "biome.json", "package-lock.json"];
const MAY_EXIST = ["LICENSE", ".git", "node_modules", ".lab", ".flyball", "demo-report.json", "coverage"];

const LINES_LIMIT = 450;

interface Source {
  readonly path: string;
  readonly text: string;
  /** Files of the project that it imports, types among them. */
  readonly files: readonly string[];
  /** Packages and Node's own modules that it imports. */
  readonly packages: readonly string[];
}

/** `import … from`, `export … from`, `import "…"` and `import("…")`, as biome formats them. */
const IMPORTS = [
  /^(?:import|export)\b[^"';]*?\bfrom "([^"]+)"/gm,
  /^import "([^"]+)"/gm,
  /\bimport\(\s*["'`]([^"'`$]+)["'`]\s*\)/g,
];

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8");
  const named = IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ""));
  const [relative, packages] = [named.filter(isRelative), named.filter((name) => !isRelative(name))];
  return { path, text, files: relative.map((name) => normalize(join(dirname(path), name))), packages };
}

function isRelative(name: string): boolean {
  return name.startsWith(".");
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(folder, path))
    .sort();
}

const topLevel = readdirSync(ROOT);
const paths = [
  ...topLevel.filter((name) => name.endsWith(".ts")),
  ...FOLDERS.filter((folder) => topLevel.includes(folder)).flatMap(filesBelow),
];
const sources = new Map(paths.map((path) => [path, readSource(path)]));
/** Everything but tests, which may look wherever they like. */
const product = [...sources.values()].filter(({ path }) => !path.startsWith("test/"));

function roomOf(path: string): string | undefined {
  return ROOMS.find((room) => path.startsWith(`${room}/`));
}

function importsOf(path: string): readonly string[] {
  return sources.get(path)?.files ?? [];
}

/** The file and everything that it leads to. */
function reachableFrom(entries: readonly string[]): Set<string> {
  const seen = new Set(entries);
  for (const path of seen) for (const next of importsOf(path)) seen.add(next);
  return seen;
}

/** One `a → b` for each import that is refused. */
function refused(from: readonly Source[], isRefused: (path: string, imported: string) => boolean): string[] {
  return from.flatMap(({ path, files }) =>
    files.filter((imported) => isRefused(path, imported)).map((imported) => `${path} → ${imported}`),
  );
}

describe("the rooms", () => {
  test("import core and their own files only; the command may also start the daemon", () => {
    const wrong = refused(
      product.filter(({ path }) => roomOf(path) !== undefined),
      (path, imported) => {
        if (imported.startsWith("core/") || roomOf(imported) === roomOf(path)) return false;
        return !(roomOf(path) === "cli" && imported === COMPOSITION_ROOT);
      },
    );
    assert.deepEqual(wrong, []);
  });

  test("are not known to core", () => {
    const wrong = refused(
      product.filter(({ path }) => path.startsWith("core/")),
      (_, imported) => !imported.startsWith("core/"),
    );
    assert.deepEqual(wrong, []);
  });

  test("meet in the daemon and nowhere else", () => {
    const meetings = product
      .map(({ path, files }) => ({ path, rooms: new Set([path, ...files].map(roomOf)) }))
      .filter(
        ({ path, rooms }) =>
          !isComposition(path) && !isDocumentation(path) && rooms.difference(new Set([undefined])).size > 1,
      );
    assert.deepEqual(
      meetings.map(({ path }) => path),
      [],
    );
  });

  test("give a browser nothing of core but its types and its units", () => {
    const values = /^import (?!type\b)[^"';]*?\bfrom "([^"]+)"/gm;
    const wrong = product
      .filter(({ path }) => path.startsWith(PAGE))
      .flatMap(({ path, text }) => [...text.matchAll(values)].map(([, name = ""]) => ({ path, name })))
      .filter(({ name }) => isRelative(name))
      .map(({ path, name }) => ({ path, imported: normalize(join(dirname(path), name)) }))
      .filter(({ imported }) => !imported.startsWith(PAGE) && !FOR_THE_PAGE.includes(imported));
    assert.deepEqual(wrong, []);
  });

  test("hold no file that nothing leads to", () => {
    const reached = reachableFrom(ENTRY_POINTS);
    const orphans = product
      .map(({ path }) => path)
      .filter((path) => (roomOf(path) !== undefined || isComposition(path)) && !reached.has(path));
    assert.deepEqual(orphans, []);
  });
});

describe("imports", () => {
  test("lead to files that exist", () => {
    assert.deepEqual(
      refused(product, (_, imported) => imported.endsWith(".ts") && !sources.has(imported)),
      [],
    );
  });

  test("name packages that the project depends on; examples and what writes boards may need one of its development's", () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const declared = (path: string) =>
      FOR_DEVELOPERS.some((folder) => path.startsWith(folder))
        ? { ...dependencies, ...devDependencies }
        : dependencies;
    const packageOf = (name: string) => name.split("/", name.startsWith("@") ? 2 : 1).join("/");
    const unknown = product.flatMap(({ path, packages }) =>
      packages
        .filter((name) => !name.startsWith("node:") && !Object.hasOwn(declared(path), packageOf(name)))
        .map((name) => `${path} → ${name}`),
    );
    assert.deepEqual(unknown, []);
  });

  test("form no cycle, not even of types", () => {
    assert.deepEqual(cycles(product.map(({ path }) => path)), []);
  });
});

/** Each cycle that a walk over the imports meets, as `a → b → a`. */
function cycles(starts: readonly string[]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of importsOf(path)) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const start of starts) walk(start, []);
  return found;
}

describe("a pure file", () => {
  for (const path of PURE_FILES) {
    test(`${path} is there, and neither it nor what it imports looks outside`, () => {
      assert.ok(sources.has(path), "is not there");
      const problems = [...reachableFrom([path])].flatMap((reached) => {
        const source = sources.get(reached);
        const builtins = (source?.packages ?? []).filter(isImpureBuiltin);
        const word = IMPURE.exec(withoutComments(source?.text ?? ""))?.[0];
        return [...builtins, ...(word === undefined ? [] : [word])].map((what) => `${reached}: ${what}`);
      });
      assert.deepEqual(problems, []);
    });
  }
});

function isImpureBuiltin(name: string): boolean {
  return name.startsWith("node:") && !PURE_BUILTINS.includes(name);
}

/** As biome formats them: a comment has a line of its own, or ends one. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(?:\/\*|\*|\/\/).*$/gm, "").replace(/\s\/\/ .*$/gm, "");
}

describe("the house", () => {
  test("has a place for everything: nothing stands on the top level that the design does not name", () => {
    const known = new Set([...HOUSE, ...FOLDERS, ...TOOLING, ...MAY_EXIST]);
    assert.deepEqual(
      topLevel.filter((name) => !known.has(name) && !name.endsWith(".log")),
      [],
    );
  });

  test("is complete", () => {
    assert.deepEqual(
      [...HOUSE, ...FOLDERS, ...TOOLING].filter((name) => !topLevel.includes(name)),
      [],
    );
  });

  test(`has no file of ${LINES_LIMIT} lines or more`, () => {
    const long = [...sources.values()]
      .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines >= LINES_LIMIT);
    assert.deepEqual(long, []);
  });
});
