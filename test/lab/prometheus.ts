import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askHttp, readBody } from "../../core/http.ts";
import { runCommand } from "./command.ts";
import { freePort } from "./free-port.ts";
import { labDirectory, newerPrometheusRoot } from "./paths.ts";

/** A Prometheus that can be run here. */
export interface PrometheusProgram {
  /** "2.42" or "2.53" */
  readonly name: string;
  readonly server: string;
}

/** The newer suite has it in no package that the lab unpacks. */
const PROMTOOL = "/usr/bin/promtool";

const NO_PROMETHEUS = "no Prometheus: run `npm run lab -- up`";
const ANSWER_WITHIN_MS = 60_000;
const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;

/** Those that are there, oldest first: the machine's own, and the newer suite's in the lab's directory. */
export function prometheusPrograms(): PrometheusProgram[] {
  const folders = { "2.42": "/usr/bin", "2.53": join(newerPrometheusRoot(labDirectory()), "usr/bin") };
  return Object.entries(folders)
    .map(([name, folder]) => ({ name, server: join(folder, "prometheus") }))
    .filter(({ server }) => existsSync(server));
}

/**
 * The `skip` option for tests that need a Prometheus: the reason when there is none, else false. Where
 * `FLYBALL_REQUIRE_ENGINE=1` says that the lab must be there, it throws the reason instead.
 */
export function skipWithoutPrometheus(programs: readonly PrometheusProgram[]): string | false {
  if (programs.length > 0) return false;
  if (process.env["FLYBALL_REQUIRE_ENGINE"] === "1") throw new Error(NO_PROMETHEUS);
  return NO_PROMETHEUS;
}

/** One series of an answer: its labels, and its points in the order of time. */
export interface QueryResult {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly { readonly atSeconds: number; readonly value: number }[];
}

/** A Prometheus server of its own, with nothing kept after it. */
export class Prometheus implements AsyncDisposable {
  readonly url: string;
  readonly #directory: string;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(url: string, directory: string, child: ReturnType<typeof spawn>) {
    this.url = url;
    this.#directory = directory;
    this.#child = child;
  }

  /** With `config` as its prometheus.yml; ready to be asked. */
  static async start(
    program: PrometheusProgram,
    config: string,
    flags: readonly string[] = [],
  ): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), "flyball-prometheus-"));
    const configFile = join(directory, "prometheus.yml");
    writeFileSync(configFile, config);
    mkdirSync(join(directory, "data"));
    const listen = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      program.server,
      [
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${join(directory, "data")}`,
        `--web.listen-address=${listen}`,
        "--log.level=debug",
        ...flags,
      ],
      { cwd: directory, stdio: ["ignore", "ignore", "pipe"] },
    );
    child.stderr?.pipe(createWriteStream(join(directory, "log")));
    const server = new Prometheus(`http://${listen}`, directory, child);
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What it logged so far. */
  get log(): string {
    const file = join(this.#directory, "log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** The value now of each series. */
  async query(expression: string): Promise<QueryResult[]> {
    const answer = await this.#get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
    return resultsOf(answer, (entry) => [entry.value ?? [0, ""]]);
  }

  /** The values of each series from one instant to another, in steps. */
  async queryRange(
    expression: string,
    range: { fromSeconds: number; toSeconds: number; stepSeconds: number },
  ): Promise<QueryResult[]> {
    const { fromSeconds, toSeconds, stepSeconds } = range;
    const answer = await this.#get(
      `/api/v1/query_range?query=${encodeURIComponent(expression)}&start=${fromSeconds}&end=${toSeconds}&step=${stepSeconds}`,
    );
    return resultsOf(answer, (entry) => entry.values ?? []);
  }

  /** The sum of one of its own metrics, of those that it counts its work with. */
  async counted(name: string): Promise<number> {
    const text = await this.#text("/metrics");
    const values = text.split("\n").flatMap((line) => {
      const [series = "", value] = line.split(" ");
      return series.split("{")[0] === name ? [Number(value)] : [];
    });
    if (values.length === 0) throw new Error(`Prometheus has no ${name}`);
    return values.reduce((sum, value) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      const force = setTimeout(() => this.#child.kill("SIGKILL"), STOP_WITHIN_MS);
      await ended;
      clearTimeout(force);
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadlineMs && this.#child.exitCode === null) {
      const answer = await fetch(`${this.url}/-/ready`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok === true) return;
      await sleep(50);
    }
    throw new Error(`Prometheus does not become ready:\n${this.log}`);
  }

  async #text(path: string): Promise<string> {
    try {
      const response = await askHttp(`${this.url}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      return (await readBody(response)).text;
    } catch (error) {
      const end = this.#child.exitCode ?? this.#child.signalCode ?? "it runs";
      throw new Error(`Prometheus (${end}) does not answer ${path}:\n${this.log.slice(-1_000)}`, {
        cause: error,
      });
    }
  }

  async #get(path: string): Promise<QueryAnswer> {
    const answer = JSON.parse(await this.#text(path)) as QueryAnswer;
    if (answer.status !== "success") throw new Error(`Prometheus: ${answer.error ?? answer.status}`);
    return answer;
  }
}

/** What `promtool check metrics` says of a page, line by line; none when it has no fault to find. */
export async function promtoolComplaints(page: string): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "flyball-promtool-"));
  try {
    const file = join(directory, "page");
    writeFileSync(file, page);
    const { stdout, stderr } = await runCommand("sh", ["-c", `"$0" check metrics < "$1"`, PROMTOOL, file]);
    return `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly QueryEntry[] };
}

interface QueryEntry {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
}

type Point = readonly [atSeconds: number, value: string];

function resultsOf(answer: QueryAnswer, pointsOf: (entry: QueryEntry) => readonly Point[]): QueryResult[] {
  return (answer.data?.result ?? []).map((entry) => ({
    labels: entry.metric,
    points: pointsOf(entry).map(([atSeconds, value]) => ({ atSeconds, value: Number(value) })),
  }));
}
