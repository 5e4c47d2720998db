import assert from "node:assert/strict";
import { createLog } from "../../../core/log.ts";
import type { Store } from "../../../core/store.ts";
import type { ObservedState, Project, ScalingPolicy } from "../../../core/types.ts";
import { SECOND_MS } from "../../../core/units.ts";
import { COMPOSE_LABELS, cloneLabels } from "../../../orchestrator/engines/docker/labels.ts";
import { replicaOf } from "../../../orchestrator/engines/docker/replica.ts";
import { signOf } from "../../../orchestrator/engines/docker/signs.ts";
import { seat } from "../../../orchestrator/engines/docker/slots.ts";
import type { InspectedContainer } from "../../../orchestrator/engines/docker/wire.ts";
import { Ownership } from "../../../orchestrator/ownership/ownership.ts";
import { reconcile } from "../../../orchestrator/reconcile.ts";
import { NOTHING_IN_FLIGHT, NOW_MS, observed, project, service, template } from "../builders.ts";
import { aNetwork, anInspection } from "../engines/docker/builders.ts";

export type Policy = NonNullable<ScalingPolicy["onExternalChange"]>;

type Labels = Record<string, string>;

interface Body {
  readonly id: string;
  readonly name: string;
  readonly labels: Labels;
  readonly createdAtMs: number;
  status: "created" | "running" | "exited";
  exitCode: number;
}

/** Longer than anything that compose begins and leaves undone is waited for. */
const MOST_PASSES = 90;
const NETWORK = "shop_default";

/**
 * Containers of one project as an engine shows them, seen and judged by the code that does so in earnest, and an
 * account of who owns the counts. Nothing that is planned is done.
 */
export class Stage {
  readonly project: Project;
  readonly #ownership: Ownership;
  readonly #bodies = new Map<string, Body>();
  readonly #desired: Map<string, number>;
  #networks = [NETWORK];
  #nowMs = NOW_MS;
  #made = 0;

  /** @param containers each as `web-1`, with how it was made */
  constructor(store: Store, policy: Policy, desired: number, containers: readonly string[], single: boolean) {
    const scaling: ScalingPolicy = {
      rules: [{ metric: "cpu", max: 0.7, capacity: 1 }],
      kind: "step",
      minReplicas: 1,
      maxReplicas: 6,
      step: 1,
      windowMs: 10 * SECOND_MS,
      cooldownMs: 15 * SECOND_MS,
      schedule: [],
      predict: false,
      dryRun: false,
      onExternalChange: policy,
    };
    const alone = single ? { singleReplicaReason: "it publishes port 80 of the host" } : {};
    const web = service("web", { scaling, template: template({ stopGraceMs: SECOND_MS }), ...alone });
    const names = new Set(containers.map((text) => text.split(/[-_]/u)[0] ?? ""));
    names.delete("web");
    this.project = project([web, ...[...names].map((name) => service(name))], {
      networks: [aNetwork("shop", "default")],
    });
    this.#desired = new Map([[web.id, desired]]);
    const options = {
      store,
      log: createLog("silent"),
      engine: { kind: "docker", description: "a stage" } as const,
    };
    this.#ownership = new Ownership(options, (id, count) => this.#desired.set(id, count));
    for (const text of containers) this.#make(text, "running");
    this.plan();
  }

  /** What is planned now. */
  plan() {
    const seen = this.#observed();
    const desired = [{ project: this.project, replicas: this.#desired, removing: false }];
    const inFlight = NOTHING_IN_FLIGHT;
    this.#ownership.look({ nowMs: this.#nowMs, observed: seen, desired, inFlight });
    const planned = this.#ownership.planned(desired, seen);
    const { actions, holds } = reconcile({ nowMs: this.#nowMs, ...planned, inFlight, attempts: new Map() });
    return { actions, holds: [...holds, ...this.#ownership.holds] };
  }

  /** What is planned when nobody is at work any more. */
  settled() {
    for (let pass = 0; pass < MOST_PASSES; pass += 1) {
      this.#nowMs += SECOND_MS;
      const plan = this.plan();
      if (!plan.holds.some(({ reason }) => reason.includes("looked at again when that is over"))) return plan;
    }
    assert.fail(`it does not come to rest in ${MOST_PASSES} passes`);
  }

  get said(): readonly string[] {
    return this.#ownership.audit
      .list(100, this.#nowMs)
      .map(({ who, sentence }) => `${who}: ${sentence}`)
      .toReversed();
  }

  /** One thing that compose or a person does: `stop web-2`, `run web-3 by compose, number=two`, `down`. */
  act(text: string): void {
    const [verb = "", ...rest] = text.split(" ");
    const what = rest.join(" ");
    const verbs: Readonly<Record<string, () => void>> = {
      nothing: () => undefined,
      create: () => this.#make(what, "created"),
      run: () => this.#start(this.#make(what, "created")),
      fail: () => {
        this.#make(what, "created").exitCode = 128;
      },
      start: () => this.#start(this.#body(what)),
      stop: () => this.#stop(this.#body(what)),
      restart: () => {
        this.#stop(this.#body(what));
        this.#start(this.#body(what));
      },
      remove: () => this.#remove(this.#body(what)),
      recreate: () => this.#recreate(this.#body(what)),
      down: () => this.#down(),
    };
    const act = verbs[verb];
    assert.ok(act !== undefined, `nobody knows how to do "${text}"`);
    act();
  }

  #down(): void {
    for (const body of [...this.#bodies.values()]) {
      this.#stop(body);
      this.#remove(body);
    }
    this.#networks = [];
  }

  /** What compose goes by: a new container beside the old one, then the old one goes. */
  #recreate(old: Body): void {
    const [service = "", number = ""] = old.name.split("-");
    const successor = this.#add(old.name, "created", {
      ...composeLabels(service, number),
      [COMPOSE_LABELS.replace]: old.id,
    });
    if (old.status === "running") this.#stop(old);
    this.#remove(old);
    this.#start(successor);
  }

  /** `web-2 by compose`, `web-2 copied`, and what is otherwise about its labels: `, no oneoff, number=two`. */
  #make(text: string, status: Body["status"]): Body {
    const [head = "", ...changes] = text.split(", ");
    const [name = "", ...how] = head.split(" ");
    const [service = "", number = ""] = name.split("-");
    const labels: Labels =
      how.join(" ") === "copied" ? this.#copied(service, number) : composeLabels(service, number);
    for (const change of changes) {
      const [key = "", value] = change.replace(/^no /u, "").split("=");
      const label = COMPOSE_LABELS[key as keyof typeof COMPOSE_LABELS];
      assert.ok(label !== undefined, `compose has no label for "${key}"`);
      if (value === undefined) delete labels[label];
      else labels[label] = value;
    }
    return this.#add(name, status, labels);
  }

  #copied(name: string, number: string): Labels {
    const definition = this.project.services.find((one) => one.name === name);
    assert.ok(definition !== undefined);
    const identity = { project: this.project, service: definition, slot: Number(number), instanceId: "d" };
    return { ...cloneLabels(composeLabels(name, "1"), "c".repeat(64), identity) };
  }

  #add(name: string, status: Body["status"], labels: Labels): Body {
    this.#made += 1;
    const id = String(this.#made).padStart(64, "0");
    const body = { id, name, labels, status, exitCode: 0, createdAtMs: this.#nowMs };
    this.#bodies.set(id, body);
    this.#event(body, "create");
    return body;
  }

  #start(body: Body): void {
    body.status = "running";
    this.#event(body, "start");
  }

  #stop(body: Body): void {
    for (const action of ["kill", "die", "stop"]) this.#event(body, action);
    body.status = "exited";
  }

  #remove(body: Body): void {
    if (body.status === "running") this.#event(body, "kill");
    this.#event(body, "destroy");
    this.#bodies.delete(body.id);
  }

  #event({ id, labels }: Body, action: string): void {
    const sign = signOf({ Type: "container", Action: action, Actor: { ID: id, Attributes: labels } });
    if (sign !== undefined) this.#ownership.hear(sign, this.#nowMs);
  }

  #body(name: string): Body {
    const body = [...this.#bodies.values()].findLast((one) => one.name === name);
    assert.ok(body !== undefined, `there is no ${name}`);
    return body;
  }

  #observed(): ObservedState {
    const byService = Map.groupBy(
      this.#bodies.values(),
      ({ labels }) => labels[COMPOSE_LABELS.service] ?? "",
    );
    const replicas = [...byService].flatMap(([name, bodies]) => {
      const definition = this.project.services.find((one) => one.name === name);
      const numbers = bodies.map(({ id, labels, name: named }) => ({
        id,
        number: labels[COMPOSE_LABELS.number],
        name: `/shop-${named}`,
      }));
      const { slots } = seat(numbers);
      return bodies.map((body) =>
        replicaOf(
          inspected(body),
          {
            project: this.project.name,
            service: `shop_${name}`,
            slot: slots.get(body.id) ?? 0,
            definition,
            isStopping: false,
            publishedHost: "127.0.0.1",
          },
          this.#nowMs,
        ),
      );
    });
    return observed(replicas, { atMs: this.#nowMs, networks: this.#networks });
  }
}

function inspected({ id, name, labels, status, exitCode, createdAtMs }: Body): InspectedContainer {
  const parts = anInspection({
    name: `/shop-${name}`,
    config: { Labels: labels },
    state: { Status: status, ExitCode: exitCode, Pid: status === "running" ? 7 : 0 },
  });
  return { ...parts, Id: id, Created: new Date(createdAtMs).toISOString() };
}

function composeLabels(service: string, number: string): Labels {
  return {
    [COMPOSE_LABELS.project]: "shop",
    [COMPOSE_LABELS.service]: service,
    [COMPOSE_LABELS.number]: number,
    [COMPOSE_LABELS.oneoff]: "False",
    [COMPOSE_LABELS.configHash]: "c0ffee",
    [COMPOSE_LABELS.image]: "sha256:1111",
    [COMPOSE_LABELS.version]: "2.26.1",
  };
}
