import { join } from "node:path";
import { startApi } from "../../api/server.ts";
import { StreamHub } from "../../api/stream/hub.ts";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import type { DecisionView, ServiceDetail, ServiceView } from "../../core/wire.ts";
import type { StreamSamples } from "../../core/wire-stream.ts";
import { ControlDouble } from "../api/control-double.ts";

const DIST = join(import.meta.dirname, "../../dashboards/console/dist");
const NAMES = ["web", "api", "worker", "search", "cart", "checkout", "images", "mail", "login", "prices"];
const PROJECTS = ["shop", "blog", "billing", "fleet", "media"];
const MAX_CPU_RATIO = 0.7;
const LIMIT_CORES = 0.5;
const LIMIT_BYTES = 256 * 2 ** 20;

/** The real API and stream over services whose load is arithmetic: what is measured is the page, and no engine. */
export class ConsoleStage implements AsyncDisposable {
  readonly address: string;
  readonly #api: AsyncDisposable;
  readonly #ticking: NodeJS.Timeout;

  private constructor(address: string, api: AsyncDisposable, ticking: NodeJS.Timeout) {
    this.address = address;
    this.#api = api;
    this.#ticking = ticking;
  }

  /** @param everyMs how often figures come */
  static async open(services: number, everyMs = SECOND_MS): Promise<ConsoleStage> {
    const control = new Crowd(services);
    const stream = new StreamHub({ clock: systemClock, epoch: "stage", heartbeatMs: 15 * SECOND_MS });
    const api = await startApi({
      control,
      stream,
      listen: { host: "127.0.0.1", port: 0 },
      consoleDirectory: DIST,
      log: createLog("error"),
    });
    const ticking = setInterval(() => {
      for (const decision of control.decide(Date.now())) stream.publish("decisions", decision);
      stream.publishSamples(() => control.samples());
    }, everyMs);
    return new ConsoleStage(`http://127.0.0.1:${api.address.port}`, api, ticking);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ticking);
    await this.#api[Symbol.asyncDispose]();
  }
}

interface Member {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  /** Where in its day it is. */
  readonly phase: number;
  replicas: number;
  last: DecisionView | undefined;
}

/** Services whose load goes up and down, and that scale by it. */
class Crowd extends ControlDouble {
  readonly #members: readonly Member[];
  #changes: DecisionView[] = [];

  constructor(count: number) {
    super();
    this.#members = Array.from({ length: count }, (_, index) => {
      const project = PROJECTS[Math.floor(index / NAMES.length) % PROJECTS.length] ?? "shop";
      const round = Math.floor(index / (NAMES.length * PROJECTS.length));
      const name = `${NAMES[index % NAMES.length]}${round === 0 ? "" : `-${round + 1}`}`;
      return { id: `${project}_${name}`, project, name, phase: index * 1.7, replicas: 2, last: undefined };
    });
  }

  /** Moves the crowd to that moment. @returns what was decided for it */
  decide(atMs: number): readonly DecisionView[] {
    const made = this.#members.flatMap((member) => decided(member, atMs));
    this.#changes = [...made, ...this.#changes].slice(0, 500);
    return made;
  }

  samples(): StreamSamples {
    const nowMs = Date.now();
    return {
      services: this.#members.map((member) => {
        const { id, replicas, load } = viewOf(member, nowMs);
        return { id, replicas, load, replicaList: replicasOf(member, nowMs) };
      }),
    };
  }

  override services() {
    return this.#members.map((member) => viewOf(member, Date.now()));
  }

  override service(id: string): ServiceDetail {
    const member = this.#find(id);
    const replicaList = replicasOf(member, Date.now()).map((replica) => ({
      ...replica,
      name: `${member.project}-${member.name}-${replica.slot}`,
      origin: "flyball" as const,
      startedAtMs: Date.now() - (20 - replica.slot) * 7 * MINUTE_MS,
      endpoints: [{ targetPort: 8080, host: "127.0.0.1", port: 32_768 + replica.slot }],
      notEnforced: [],
    }));
    return { ...viewOf(member, Date.now()), replicaList, holds: [] };
  }

  override decisions(id: string) {
    return this.#changes.filter(({ service }) => service === id) as never[];
  }

  override explain(id: string) {
    const { last } = this.#find(id);
    return {
      ...(last === undefined ? {} : { decision: last }),
      lines: [last?.sentence ?? "nothing was decided yet"],
    };
  }

  override history(id: string) {
    const member = this.#find(id);
    const toMs = Date.now();
    const minutes = Array.from({ length: 24 * 60 }, (_, index) => {
      const atMs = toMs - 24 * HOUR_MS + index * MINUTE_MS;
      const replicas = 3 + Math.round(2 * Math.sin(atMs / (3 * HOUR_MS) + member.phase));
      return {
        atMs,
        readings: 60,
        replicas,
        demand: { cpu: replicas * levelOf(member, atMs), memory: replicas * 0.4 },
      };
    });
    return {
      service: id,
      fromMs: toMs - 24 * HOUR_MS,
      toMs,
      resources: { limitCores: LIMIT_CORES },
      minutes,
    };
  }

  #find(id: string): Member {
    const member = this.#members.find((one) => one.id === id);
    if (member === undefined) throw new Error(`there is no service ${id}`);
    return member;
  }
}

/** A wave of half a minute, and what no wave has. */
function levelOf({ phase, replicas }: Member, atMs: number): number {
  const wave =
    Math.sin(atMs / (9 * SECOND_MS) + phase) + 0.4 * Math.sin(atMs / (1.7 * SECOND_MS) + phase * 3);
  return Math.max(0.03, (1.25 + wave * 0.75) / (replicas + 0.4));
}

function decided(member: Member, atMs: number): readonly DecisionView[] {
  const level = levelOf(member, atMs);
  const from = member.replicas;
  const to = level > MAX_CPU_RATIO && from < 8 ? from + 1 : level < 0.25 && from > 1 ? from - 1 : from;
  if (to === from) return [];
  member.replicas = to;
  const percent = `${Math.round(level * 100)} %`;
  const why = to > from ? `cpu at ${percent} is above 70 %` : `cpu at ${percent} leaves room below 70 %`;
  member.last = {
    ...{ service: member.id, atMs, from, wanted: to, to, limits: [] },
    sentence: `${from} → ${to}: ${why}, so ${to} ${to > from ? "are wanted" : "would do"}`,
    verdicts: [
      {
        metric: "cpu",
        wants: to > from ? "out" : "in",
        asksFor: to,
        level,
        max: MAX_CPU_RATIO,
        replicasRead: from,
        replicasServing: from,
      },
    ],
  };
  return [member.last];
}

function viewOf(member: Member, nowMs: number): ServiceView {
  const { id, project, name, replicas: count, last } = member;
  const cpuRatio = levelOf(member, nowMs);
  const memoryRatio = 0.35 + 0.1 * Math.sin(nowMs / (40 * SECOND_MS) + member.phase);
  return {
    ...{ id, project, name },
    replicas: { desired: count, running: count, ready: count, min: 1, max: 8 },
    load: {
      cpuRatio,
      memoryRatio,
      cpuCores: cpuRatio * LIMIT_CORES,
      memoryWorkingSetBytes: memoryRatio * LIMIT_BYTES,
      readAtMs: nowMs,
    },
    autoscale: { maxCpuRatio: MAX_CPU_RATIO, step: 1, dryRun: false, mode: "live" },
    businessLabels: { team: project === "shop" ? "checkout" : "platform" },
    ...(last === undefined ? {} : { lastDecision: last }),
  };
}

function replicasOf(member: Member, nowMs: number): StreamSamples["services"][number]["replicaList"] {
  return Array.from({ length: member.replicas }, (_, index) => ({
    id: `${member.id}-${index + 1}`,
    slot: index + 1,
    state: "running" as const,
    cpuCores: levelOf(member, nowMs + index * 700) * LIMIT_CORES,
    memoryWorkingSetBytes: 0.4 * LIMIT_BYTES,
  }));
}
