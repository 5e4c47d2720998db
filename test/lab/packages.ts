import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { mustRun, runCommand } from "./command.ts";
import { newerHaproxyRoot, newerPrometheusRoot, unpackedRoot } from "./paths.ts";
import { sourcesForSuite } from "./sources.ts";

const MACHINE_SUITE = "bookworm";
const NEWER_SUITE = "trixie";

/**
 * iproute2 is for the engines' bridges, busybox-static for the test image, docker-compose is the old one in Python, wrk
 * makes load, chromium looks at the console.
 */
const INSTALLED = [
  "docker.io",
  "iptables",
  "iproute2",
  "busybox-static",
  "docker-compose",
  "prometheus",
  "haproxy",
  "nginx",
  "wrk",
  "chromium",
];
/** No runc: the newer suite's needs a newer libc, the machine's own serves both engines. */
const ENGINE_PACKAGES = ["docker.io", "docker-cli", "containerd", "docker-compose"];
const PROMETHEUS_PACKAGES = ["prometheus"];
/** With every library that it needs: the newer suite's program wants the newer suite's C library. */
const HAPROXY_PACKAGES = [
  "haproxy",
  "libc6",
  "libcrypt1",
  "libgcc-s1",
  "libjemalloc2",
  "liblua5.4-0",
  "libopentracing-c-wrapper0t64",
  "libopentracing1",
  "libpcre2-8-0",
  "libssl3t64",
  "libstdc++6",
  "libzstd1",
  "zlib1g",
];

/** Throws a sentence a person can act on unless this is Debian 12 with apt, and we are root. */
export function assertMachine(): void {
  if (process.getuid?.() !== 0) throw new Error("the lab starts Docker engines and must be run as root");
  const osRelease = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(osRelease)?.[1];
  if (field("ID") !== "debian" || field("VERSION_CODENAME") !== MACHINE_SUITE) {
    throw new Error(
      `the lab is made from the packages of Debian 12 (${MACHINE_SUITE}); this machine runs ${field("PRETTY_NAME") ?? process.platform}`,
    );
  }
  if (!existsSync("/usr/bin/apt-get"))
    throw new Error("the lab installs Debian packages, and there is no apt-get");
}

/** Installs what is missing of the machine's own packages. Never removes or upgrades one that is there. */
export async function installPackages(say: (line: string) => void): Promise<void> {
  const missing = [];
  for (const name of INSTALLED) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  say(`installing ${missing.join(", ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await apt(["update", "-qq"], { env });
  await apt(["install", "-y", "-qq", "--no-install-recommends", "--no-remove", "--no-upgrade", ...missing], {
    env,
  });
}

/** Unpacks the newer suite's engine, compose plugin, Prometheus and HAProxy into the lab's directory, unless they are there. */
export async function unpackPackages(directory: string, say: (line: string) => void): Promise<void> {
  const missing = [
    { root: unpackedRoot(directory), packages: ENGINE_PACKAGES },
    { root: newerPrometheusRoot(directory), packages: PROMETHEUS_PACKAGES },
    { root: newerHaproxyRoot(directory), packages: HAPROXY_PACKAGES, finish: writeHaproxyStarter },
  ].filter(({ root }) => !existsSync(root));
  if (missing.length === 0) return;
  const work = `${unpackedRoot(directory)}.work`;
  rmSync(work, { recursive: true, force: true });
  const options = await newerSuite(work);
  for (const { root, packages, finish } of missing) {
    say(`unpacking ${packages.join(", ")} of ${NEWER_SUITE}`);
    const [debs, unpacked] = [`${root}.debs`, `${root}.unpacked`];
    for (const folder of [debs, unpacked]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
    await apt([...options, "download", "-qq", ...packages], { cwd: debs });
    for (const deb of readdirSync(debs)) await mustRun("dpkg", ["-x", join(debs, deb), unpacked]);
    finish?.(unpacked, root);
    // Moved into place only when whole, so that an interrupted `up` starts again.
    renameSync(unpacked, root);
    rmSync(debs, { recursive: true, force: true });
  }
  rmSync(work, { recursive: true, force: true });
}

/** A program that runs the other one with its own loader, and is what that one starts when it starts itself anew. */
function writeHaproxyStarter(unpacked: string, root: string): void {
  const libraries = join(root, "usr/lib/x86_64-linux-gnu");
  const starter = join(unpacked, "haproxy");
  const loader = join(libraries, "ld-linux-x86-64.so.2");
  writeFileSync(
    starter,
    `#!/bin/sh\nexec ${loader} --library-path ${libraries} --argv0 "$0" ${join(root, "usr/sbin/haproxy")} "$@"\n`,
  );
  chmodSync(starter, 0o755);
}

/** The options that make apt-get speak of the newer suite, whose lists are fetched below `work`. */
async function newerSuite(work: string): Promise<string[]> {
  const [lists, cache] = [join(work, "lists"), join(work, "cache")];
  for (const folder of [lists, cache]) mkdirSync(folder, { recursive: true });
  const sources = join(work, "newer.sources");
  writeFileSync(sources, newerSources());
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    "Dir::Etc::sourceparts=/dev/null",
    "Dir::Etc::preferences=/dev/null",
    "Dir::Etc::preferencesparts=/dev/null",
    `Dir::State::lists=${lists}`,
    `Dir::Cache=${cache}`,
    "Acquire::Languages=none",
    // The sandbox's user may not enter the lab's directory.
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  // By itself `update` only warns when it reaches nobody.
  await apt([...options, "-o", "APT::Update::Error-Mode=any", "update", "-qq"]);
  return options;
}

function newerSources(): string {
  const folder = "/etc/apt/sources.list.d";
  const parts = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const names = ["/etc/apt/sources.list", ...parts].filter(
    (name) => /\.(list|sources)$/.test(name) && existsSync(name),
  );
  const files = new Map(names.map((name) => [name, readFileSync(name, "utf8")]));
  const text = sourcesForSuite(files, MACHINE_SUITE, NEWER_SUITE);
  if (text === "") {
    throw new Error(
      `no apt source of ${MACHINE_SUITE} main to derive ${NEWER_SUITE} from; looked in ${names.join(", ") || folder}`,
    );
  }
  return text;
}

async function isInstalled(name: string): Promise<boolean> {
  const { stdout } = await runCommand("dpkg-query", ["--status", name]);
  return /^Status: .* installed$/m.test(stdout);
}

/** Runs apt-get. Throws with what it complained of when it fails. */
export async function apt(
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  try {
    await mustRun("apt-get", args, options);
  } catch (error) {
    throw new Error("apt cannot fetch or install what the lab needs", { cause: error });
  }
}
