import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import type { QueryOutcome } from "../../scaler/prometheus/answer.ts";
import { type PrometheusServer, queryPrometheus } from "../../scaler/prometheus/query.ts";
import { QueryWatcher } from "../../scaler/prometheus/watcher.ts";
import { Prometheus, prometheusPrograms, skipWithoutPrometheus } from "../lab/prometheus.ts";
import { eventually } from "./flyball-daemon.ts";
import { Queue, scraping } from "./scraped-queue.ts";

const programs = prometheusPrograms();
const skip = skipWithoutPrometheus(programs);

const never = new AbortController().signal;
const ask = (server: PrometheusServer, expression: string) => queryPrometheus(server, expression, never);

function told(outcome: QueryOutcome): string {
  return "value" in outcome ? String(outcome.value) : `${outcome.trouble.kind}: ${outcome.trouble.message}`;
}

describe("queries to a real Prometheus", { skip }, () => {
  for (const program of programs) {
    test(`${program.name} have the outcome that each expression deserves`, async () => {
      await using queue = new Queue();
      await using server = await Prometheus.start(program, scraping(await queue.start()));
      await eventually("the queue was scraped", async () => "value" in (await ask(server, "queue_waiting")));

      const outcomes: [string, RegExp][] = [
        ["queue_waiting", /^12$/],
        ["sum(queue_waiting) / count(worker_up)", /^6$/],
        ["scalar(queue_waiting)", /^12$/],
        ["42", /^42$/],
        ["1e21 * 4", /^4e\+21$/],
        ["worker_up", /^several: the expression gives 2 series: aggregate it to one/],
        ["no_such_metric", /^empty: /],
        ["queue_waiting > 1000", /^empty: /],
        ["0 / 0", /^not a number: the expression gives NaN$/],
        ["1 / 0", /^not a number: the expression gives \+Inf$/],
        ["queue_waiting / 0", /^not a number: /],
        ['"twelve"', /^type: the expression gives text/],
        ["queue_waiting[1m]", /^type: the expression gives a range/],
        [
          "sum(queue_waiting",
          /^refused: Prometheus refuses the expression: .*parse error: unclosed left paren/,
        ],
        [
          "queue_waiting[1m] + 1",
          /^refused: .*binary expression must contain only scalar and instant vector/,
        ],
        ["", /^refused: /],
      ];
      for (const [expression, expected] of outcomes) {
        assert.match(told(await ask(server, expression)), expected, expression);
      }
    });

    test(`${program.name} are kept by a watcher, which tells when the server has gone`, async () => {
      const lines: string[] = [];
      const log = createLog("info", { write: (line: string) => void lines.push(JSON.parse(line).msg) });
      await using queue = new Queue();
      const expression = "sum(queue_waiting) / count(worker_up)";
      await using opened = new AsyncDisposableStack();
      const server = await Prometheus.start(program, scraping(await queue.start()));
      opened.defer(() => server[Symbol.asyncDispose]());
      const watcher = opened.use(
        new QueryWatcher({
          ask: (each, signal) => queryPrometheus(server, each, signal),
          clock: systemClock,
          log,
          intervalMs: 200,
          maxBackoffMs: 400,
        }),
      );
      watcher.setExpressions([expression, "worker_up"]);
      const latest = () => {
        const nowMs = systemClock.nowMs();
        return watcher.reading(expression, nowMs - 1_000, nowMs)?.mean;
      };
      await eventually("the level is read", () => latest() === 6);
      queue.waiting = 90;
      await eventually("the level has changed", () => latest() === 45);
      assert.equal(watcher.trouble(expression), undefined);
      assert.equal(watcher.trouble("worker_up")?.kind, "several");

      await server[Symbol.asyncDispose]();
      await eventually("the trouble is known", () => watcher.trouble(expression)?.kind === "unreachable");
      await eventually("the level is not known any more", () => latest() === undefined);
      assert.equal(
        lines.filter((line) => line.includes("cannot be asked")).length,
        2,
        "once for each expression",
      );
    });
  }
});
