import { Alerts } from "../../alerts/alerts.ts";
import { alertsConfig } from "../../core/alerts-config.ts";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { facts, service } from "../alerts/builders.ts";

/**
 * The alerts of a daemon in a process of their own, to be killed: `alerts-process.ts <data directory> <SMTP port>
 * <burns|calm> [begin|work|commit]`. With the last it dies by itself before, in, or after the first transaction that
 * tells what became of an alert or a delivery; after each it says by IPC how many deliveries wait.
 */
const [directory = "", port = "", state = "", death, waitingAtDeath] = process.argv.slice(2);
let isOpen = false;

const waiting = () => alerts.list(1).channels[0]?.waiting ?? 0;

function dieAt(where: string): void {
  if (isOpen && where === death && waiting() === Number(waitingAtDeath)) process.kill(process.pid, "SIGKILL");
}

class MortalStore extends Store {
  override transaction<T>(work: () => T): T {
    dieAt("begin");
    const result = super.transaction(() => {
      const made = work();
      dieAt("work");
      return made;
    });
    dieAt("commit");
    if (isOpen) process.send?.(waiting());
    return result;
  }
}

const { config } = alertsConfig({
  channels: {
    mail: {
      kind: "email",
      host: "127.0.0.1",
      port: Number(port),
      tls: "none",
      from: "flyball@example.org",
      to: ["ops@example.org"],
    },
  },
});
const request = {
  signal: "replicas",
  comparison: "<",
  threshold: 1,
  severity: "critical",
  noData: "keep",
} as const;
const web = service({ requests: [{ ...request, forMs: 0, keepFiringForMs: 0 }] });
const alerts = await Alerts.open({
  store: new MortalStore(directory),
  clock: systemClock,
  log: createLog("silent"),
  config,
  address: "http://127.0.0.1:7070",
  onNotification: () => {},
});
isOpen = true;
process.on("disconnect", () => process.exit());
setInterval(() => alerts.look(facts({ services: [state === "burns" ? { ...web, replicas: [] } : web] })), 50);
