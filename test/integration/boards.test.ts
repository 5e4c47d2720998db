import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { committedBoards, shownPanels } from "../dashboards/board-files.ts";
import { FlyballAgent } from "../lab/agent.ts";
import { LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { freePort } from "../lab/free-port.ts";
import { haproxyPrograms, skipWithoutHaproxy } from "../lab/haproxy.ts";
import {
  Prometheus,
  prometheusPrograms,
  type QueryResult,
  skipWithoutPrometheus,
} from "../lab/prometheus.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

const engines = await labEngines();
const programs = prometheusPrograms();
const proxies = haproxyPrograms();
const skip = skipWithoutEngine(engines) || skipWithoutPrometheus(programs) || skipWithoutHaproxy(proxies);

const SCRAPE_SECONDS = 1;
const STEP_SECONDS = 5;
const ASK_EVERY_MS = 40;
const PATIENCE_MS = 90_000;

const SERVER = `
import { createServer } from "node:http";
const server = createServer((request, response) =>
  setTimeout(() => response.writeHead(request.url === "/broken" ? 500 : 200).end(), 20),
);
server.listen(process.env.PORT, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

/** Requests go on, so that more is wanted than there may be: there is one step, and then a limit. */
const WEB = `  web:
    image: none
    command: ["${process.execPath}", "server.mjs"]
    stop_grace_period: 2s
    deploy: { resources: { limits: { cpus: "0.5", memory: 200M } } }
    labels:
      lb.port: "80"
      probe.http: /
      autoscale.max_rps: "5"
      autoscale.max_cpu: "95"
      autoscale.min_cpu: "2"
      autoscale.max: "2"
      autoscale.window: 3s
      autoscale.cooldown: 1s
      business.team: checkout
`;

/** A channel whose receiver is not there: what waits for it is told all the same. */
const CONFIG = `
alerts:
  channels:
    ops: { kind: webhook, url: "http://127.0.0.1:1/" }
`;

/** What was not answered, as board, panel and query. */
interface Question {
  readonly about: string;
  readonly expression: string;
  readonly isInstant: boolean;
}

describe("the boards", { skip }, () => {
  test("have an answer to every query of every panel, from each Prometheus that scrapes Flyball", async (t) => {
    const [engine, proxy] = [engines.at(-1), proxies[0]];
    assert.ok(engine !== undefined && proxy !== undefined);
    const [front, collector] = [await freePort(), await freePort()];
    const config = join(mkdtempSync(join(tmpdir(), "flyball-boards-")), "flyball.yaml");
    t.after(() => rmSync(dirname(config), { recursive: true }));
    writeFileSync(config, CONFIG);
    const house = await FlyballHouse.open(t, undefined, {
      FLYBALL_CONFIG: config,
      FLYBALL_HAPROXY: proxy.path,
      FLYBALL_TRAFFIC_HTTP: `127.0.0.1:${front}`,
      FLYBALL_METRICS_LISTEN: `127.0.0.1:${collector}`,
    });
    await using opened = new AsyncDisposableStack();
    house.write("server.mjs", SERVER);
    const serving = house.serve();
    // A process has no network of its own: a container has, read by an agent beside its engine.
    const container = await new Docker({ socketPath: engine.socketPath }).createContainer({
      Image: LAB_IMAGE,
      Cmd: ["sleep", "1000"],
      Labels: { "com.docker.compose.project": house.project, "com.docker.compose.service": "web" },
    });
    opened.defer(() => container.remove({ force: true, v: true }));
    const [agent] = await Promise.all([FlyballAgent.start(engine.socketPath), serving, container.start()]);
    opened.use(agent);
    const targets = [house.address.replace("http://", ""), `127.0.0.1:${collector}`, agent.address];
    const fromSeconds = Date.now() / 1_000;
    const servers = await Promise.all(
      programs.map(async (program) => ({
        name: program.name,
        server: opened.use(await Prometheus.start(program, scrapeConfig(targets))),
      })),
    );
    await house.must("up", "-f", house.compose(WEB));
    // A change is one for who has seen the count before it.
    for (const { name, server } of servers) {
      await eventually(
        `Prometheus ${name} knows that nothing was decided yet`,
        async () => (await server.query(`flyball_scalings_total offset ${STEP_SECONDS}s`)).length > 0,
      );
    }
    const visits = new AbortController();
    const visiting = visit(`http://127.0.0.1:${front}`, visits.signal);
    opened.defer(async () => {
      visits.abort();
      await visiting;
    });
    await house.untilHas(2);

    const variables = {
      label: "team",
      value: "checkout",
      project: house.project,
      service_name: "web",
      service: house.serviceId(),
    };
    const questions = questionsOfBoards(variables);
    t.diagnostic(`${questions.length} queries of ${committedBoards().size} boards`);
    await Promise.all(
      servers.map(async ({ name, server }) => {
        let open = questions;
        await eventually(
          `Prometheus ${name} answers all`,
          async () => {
            open = await unanswered(server, open, fromSeconds);
            return open.length === 0;
          },
          {
            patienceMs: PATIENCE_MS,
            about: () => open.map(({ about, expression }) => `no data: ${about}: ${expression}`).join("\n"),
          },
        );
      }),
    );
    await house.must("down", "-f", `${house.directory}/compose.yaml`);
    await house.stop();
  });
});

/** The queries of all panels, annotations and variables, as Grafana would send them. */
function questionsOfBoards(variables: Readonly<Record<string, string>>): Question[] {
  return [...committedBoards()].flatMap(([file, board]) => {
    const question = (about: string, expression: string, isInstant: boolean): Question => ({
      about: `${file}, ${about}`,
      expression: filled(expression, variables),
      isInstant,
    });
    return [
      ...shownPanels(board).flatMap(({ id, title, targets }) =>
        targets.map(({ refId, expr, instant }) =>
          question(`panel ${id} "${title}", query ${refId}`, expr, instant),
        ),
      ),
      ...board.annotations.list.map(({ name, expr }) => question(`annotation "${name}"`, expr, false)),
      ...board.templating.list
        .filter(({ type }) => type === "query")
        .map(({ name, query }) =>
          question(`variable "${name}"`, choicesOf(query, name, variables[name] ?? ""), true),
        ),
    ];
  });
}

/** Grafana asks for these in its own way; the answer has the value that the test has chosen. */
function choicesOf(query: string, name: string, chosen: string): string {
  const [, family] = /^label_names\((.+)\)$/.exec(query) ?? [];
  if (family !== undefined) return `count by (${chosen}) (${family}{${chosen}!=""})`;
  const [, selector, label] = /^label_values\((.+), ([$\w]+)\)$/.exec(query) ?? [];
  assert.ok(selector !== undefined && label !== undefined, `variable "${name}": ${query}`);
  return `(count by (${label}) (${selector})) and on (${label}) label_replace(vector(1), "${label}", "${chosen}", "", "")`;
}

function filled(expression: string, variables: Readonly<Record<string, string>>): string {
  const all = { __rate_interval: "8s", __interval: `${STEP_SECONDS}s`, __range: "60s", ...variables };
  return expression.replace(/\$\{(\w+)\}|\$(\w+)/g, (_, braced: string | undefined, plain: string) => {
    const name = braced ?? plain;
    const value = Object.entries(all).find(([key]) => key === name)?.[1];
    assert.ok(value !== undefined, `no variable ${name}: ${expression}`);
    return value;
  });
}

async function unanswered(
  server: Prometheus,
  questions: readonly Question[],
  fromSeconds: number,
): Promise<Question[]> {
  const open: Question[] = [];
  for (const question of questions) {
    if (!hasData(await ask(server, question, fromSeconds))) open.push(question);
  }
  // As often as it scrapes is often enough.
  if (open.length > 0) await sleep(SCRAPE_SECONDS * 1_000);
  return open;
}

async function ask(server: Prometheus, { about, expression, isInstant }: Question, fromSeconds: number) {
  try {
    return await (isInstant
      ? server.query(expression)
      : server.queryRange(expression, {
          fromSeconds,
          toSeconds: Date.now() / 1_000,
          stepSeconds: STEP_SECONDS,
        }));
  } catch (error) {
    throw new Error(`${about}: ${expression}`, { cause: error });
  }
}

/** A series of NaN is a picture of nothing. */
function hasData(series: readonly QueryResult[]): boolean {
  return series.some(({ points }) => points.some(({ value }) => Number.isFinite(value)));
}

async function visit(url: string, signal: AbortSignal): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    await new Promise<void>((resolve) => {
      get(`${url}/${count % 20 === 0 ? "broken" : ""}`, { agent: false }, (response) => {
        response.resume().on("close", resolve);
      }).on("error", () => resolve());
    });
    await sleep(ASK_EVERY_MS);
  }
}

function scrapeConfig(targets: readonly string[]): string {
  return JSON.stringify({
    scrape_configs: [
      {
        job_name: "flyball",
        scrape_interval: `${SCRAPE_SECONDS}s`,
        scrape_timeout: `${SCRAPE_SECONDS}s`,
        static_configs: [{ targets }],
      },
    ],
  });
}
