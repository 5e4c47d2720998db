import { Counter, Gauge, type Registry } from "prom-client";
import { SECOND_MS } from "../core/units.ts";
import type { JobAnswer } from "../core/wire-jobs.ts";

/** What the daemon tells Prometheus about jobs. */
export class JobMetrics {
  readonly #runs: Counter<"service" | "outcome">;

  constructor(registry: Registry, jobs: () => readonly JobAnswer[]) {
    this.#runs = new Counter({
      name: "flyball_job_runs_total",
      help: "Runs of a job that are over, by how they ended; missed is one that was due and never began.",
      labelNames: ["service", "outcome"],
      registers: [registry],
    });
    const gauge = (name: string, help: string, read: (job: JobAnswer) => number | undefined) => {
      const made = new Gauge({
        name,
        help,
        labelNames: ["service"],
        registers: [],
        collect() {
          // Jobs come and go: what is gone must not be told of.
          this.reset();
          for (const job of jobs()) {
            const value = read(job);
            if (value !== undefined) this.set({ service: job.service }, value);
          }
        },
      });
      registry.registerMetric(made);
    };
    gauge("flyball_job_active_runs", "Runs of a job that are not over.", ({ active }) => active.length);
    gauge(
      "flyball_job_last_success_timestamp_seconds",
      "When the last run of a job that succeeded ended.",
      ({ lastSuccessAtMs }) => inSeconds(lastSuccessAtMs),
    );
    gauge(
      "flyball_job_next_due_timestamp_seconds",
      "When a job is due next by its schedule.",
      ({ nextDueAtMs }) => inSeconds(nextDueAtMs),
    );
  }

  over(service: string, outcome: string): void {
    this.#runs.inc({ service, outcome });
  }
}

function inSeconds(atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : atMs / SECOND_MS;
}
