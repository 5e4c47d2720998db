import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/**
 * `npm run console`: bundles the page in `page/` into `dist/`, each file beside its compressed forms. Names carry a hash
 * of what is in the file, so that a browser may keep it for ever; `index.html` alone keeps its name.
 */
const PAGE = join(import.meta.dirname, "page");
const DIST = join(import.meta.dirname, "dist");
const OLDEST_BROWSERS = ["chrome123", "firefox120", "safari17.5"];

interface Built {
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function build(): Promise<readonly Built[]> {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(PAGE, "main.ts"), join(PAGE, "theme.ts"), join(PAGE, "console.css")],
    outdir: DIST,
    write: false,
    bundle: true,
    minify: true,
    format: "iife",
    target: OLDEST_BROWSERS,
    legalComments: "none",
  });
  const assets = outputFiles.map(({ path, contents }) => ({ path: basename(path), contents }));
  const names = new Map(assets.map(({ path, contents }) => [path, hashedName(path, contents)]));
  const html = readFileSync(join(PAGE, "index.html"), "utf8").replaceAll(
    /\/console\/([\w.]+)/g,
    (_, path: string) => `/console/${names.get(path) ?? unknown(path)}`,
  );
  return [
    { name: "index.html", bytes: Buffer.from(html) },
    ...assets.map(({ path, contents }) => ({ name: names.get(path) ?? path, bytes: contents })),
  ];
}

function hashedName(path: string, contents: Uint8Array): string {
  const hash = createHash("sha256").update(contents).digest("base64url").slice(0, 10);
  return `${basename(path, extname(path))}.${hash}${extname(path)}`;
}

function unknown(path: string): never {
  throw new Error(`index.html names ${path}, which is not built`);
}

/** In place of what was there, and only when whole: a daemon may start while this runs. */
function write(files: readonly Built[]): void {
  const fresh = `${DIST}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  for (const { name, bytes } of files) {
    const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    writeFileSync(join(fresh, name), bytes);
    writeFileSync(join(fresh, `${name}.gz`), gzipSync(bytes, { level: 9 }));
    writeFileSync(join(fresh, `${name}.br`), brotliCompressSync(bytes, { params: quality }));
  }
  rmSync(DIST, { recursive: true, force: true });
  renameSync(fresh, DIST);
}

/** The bundler is a development dependency. Who leaves those out does so for a daemon, which works without the page. */
function isLeftOut(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

try {
  const files = await build();
  write(files);
  const bytes = files.reduce((total, file) => total + gzipSync(file.bytes, { level: 9 }).length, 0);
  process.stdout.write(`console: ${files.length} files, ${(bytes / 1024).toFixed(1)} KiB gzip\n`);
} catch (error) {
  if (!isLeftOut(error)) throw error;
  process.stdout.write("console: not built, because development dependencies are left out\n");
}
