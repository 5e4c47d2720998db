import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { askHttp, readBody } from "../../../core/http.ts";
import { SECOND_MS } from "../../../core/units.ts";
import { freePort } from "../../lab/free-port.ts";
import { getPage } from "./pages.ts";

const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 5_000;
/** As many as it gives at once. */
const KEPT_STATS = 60;

/** True readings once a second, with our labels: the nearest that it can be brought to. */
const FLAGS = [
  "--housekeeping_interval=1s",
  "--max_housekeeping_interval=1s",
  "--allow_dynamic_housekeeping=false",
  "--docker_only=true",
  "--store_container_labels=false",
  "--whitelisted_container_labels=business.team,business.tier,com.docker.compose.project,com.docker.compose.service,com.docker.compose.container-number",
];
/** Of the families that ours has, without those that need a walk through directories. */
const FAMILIES = "--enable_metrics=cpu,memory,network,diskIO,process,pressure";
const OLD_FAMILIES = "--disable_metrics=percpu,disk,tcp,udp,advtcp,sched,hugetlb";
/** Newest first. Only the newest know the jitter; the others wait for up to twice the interval from one reading to the next. */
const GENERATIONS = [
  [...FLAGS, FAMILIES, "--jitter_factor=0"],
  [...FLAGS, FAMILIES],
  [...FLAGS, OLD_FAMILIES],
];

interface Cgroup {
  readonly name: string;
  readonly stats?: readonly { readonly timestamp: string }[];
}

/** cAdvisor beside the same engine. */
export class Cadvisor implements AsyncDisposable {
  readonly url: string;
  readonly #address: string;
  readonly #child: ChildProcess;

  private constructor(address: string, child: ChildProcess) {
    this.url = `${address}/metrics`;
    this.#address = address;
    this.#child = child;
  }

  static async start(binary: string, socketPath: string): Promise<Cadvisor> {
    for (const flags of GENERATIONS) {
      const port = await freePort();
      const child = spawn(
        binary,
        [...flags, `--docker=unix://${socketPath}`, "--listen_ip=127.0.0.1", `--port=${port}`],
        { stdio: "ignore" },
      );
      const cadvisor = new Cadvisor(`http://127.0.0.1:${port}`, child);
      if (await cadvisor.#answers()) return cadvisor;
      await cadvisor[Symbol.asyncDispose]();
    }
    throw new Error(`${binary} does not answer`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Samples of a container per second, on average over all of them, of the newest that it keeps. */
  async samplesPerSecond(): Promise<number> {
    const url = `${this.#address}/api/v1.3/subcontainers/`;
    const response = await askHttp(url, {
      method: "POST",
      body: JSON.stringify({ num_stats: KEPT_STATS }),
      signal: AbortSignal.timeout(READY_WITHIN_MS),
    });
    const { text } = await readBody(response);
    if (response.statusCode !== 200) throw new Error(`${url}: status ${response.statusCode}`);
    const cgroups = JSON.parse(text) as readonly Cgroup[];
    let [samples, seconds] = [0, 0];
    for (const { name, stats = [] } of cgroups) {
      const [first, last] = [stats.at(0), stats.at(-1)];
      if (name === "/" || first === undefined || last === undefined) continue;
      samples += stats.length - 1;
      seconds += (Date.parse(last.timestamp) - Date.parse(first.timestamp)) / SECOND_MS;
    }
    return samples / seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), STOP_WITHIN_MS);
    await ended;
    clearTimeout(force);
  }

  async #answers(): Promise<boolean> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadlineMs && this.#child.exitCode === null) {
      if ((await getPage(this.url).catch(() => undefined)) !== undefined) return true;
      await sleep(200);
    }
    return false;
  }
}
