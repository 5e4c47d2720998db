import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../lab/free-port.ts";
import { getPage } from "./pages.ts";

const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 5_000;

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
/** Newest first. Only the newest know the jitter; the others read every 1.5 s on average. */
const GENERATIONS = [
  [...FLAGS, FAMILIES, "--jitter_factor=0"],
  [...FLAGS, FAMILIES],
  [...FLAGS, OLD_FAMILIES],
];

/** cAdvisor beside the same engine. */
export class Cadvisor implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
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
      const cadvisor = new Cadvisor(`http://127.0.0.1:${port}/metrics`, child);
      if (await cadvisor.#answers()) return cadvisor;
      await cadvisor[Symbol.asyncDispose]();
    }
    throw new Error(`${binary} does not answer`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
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
