import { Counter, Gauge, type Registry } from "prom-client";
import type { TrafficReading } from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";

/** What the daemon tells Prometheus about traffic: of services; replicas come and go too often to be series. */
export function registerTrafficMetrics(registry: Registry, readings: () => readonly TrafficReading[]): void {
  const ofServices = () => readings().filter(({ replica }) => replica === undefined);
  const about = { labelNames: ["service"] as const, registers: [] };
  const gauge = (name: string, help: string, read: (reading: TrafficReading) => number | undefined) =>
    new Gauge({
      name,
      help,
      ...about,
      collect() {
        this.reset();
        for (const reading of ofServices()) {
          const value = read(reading);
          if (value !== undefined) this.set({ service: reading.service }, value);
        }
      },
    });
  const counter = (name: string, help: string, read: (reading: TrafficReading) => number) =>
    new Counter({
      name,
      help,
      ...about,
      collect() {
        this.reset();
        for (const reading of ofServices()) this.inc({ service: reading.service }, read(reading));
      },
    });
  const metrics = [
    counter(
      "flyball_traffic_requests_total",
      "Requests that the balancer took for a service; of a tcp door, connections.",
      ({ requestsTotal }) => requestsTotal,
    ),
    counter(
      "flyball_traffic_errors_total",
      "Of them, those that were answered 5xx, or not at all.",
      ({ errorsTotal }) => errorsTotal,
    ),
    gauge("flyball_traffic_open", "Requests and connections that are under way.", ({ open }) => open),
    gauge("flyball_traffic_queued", "Of them, those that wait for a replica.", ({ queued }) => queued),
    gauge(
      "flyball_traffic_latency_p95_seconds",
      "From the request to the head of the answer, at p95 over the last seconds.",
      ({ latencyMs }) => (latencyMs === undefined ? undefined : latencyMs / SECOND_MS),
    ),
  ];
  for (const metric of metrics) registry.registerMetric(metric);
}
