/** A process that opens an engine, starts one replica, says its id, and waits to be killed. */
import { json } from "node:stream/consumers";
import { systemClock } from "../../../../core/clock.ts";
import { createLog } from "../../../../core/log.ts";
import type { Service } from "../../../../core/types.ts";
import { openProcessEngine } from "../../../../orchestrator/engines/process/engine.ts";
import { Driver } from "./harness.ts";

const { dataDirectory, instanceId, service } = (await json(process.stdin)) as {
  dataDirectory: string;
  instanceId: string;
  service: Service;
};
const log = createLog("silent");
const engine = await openProcessEngine({ dataDirectory, instanceId, clock: systemClock, log });
const driver = new Driver(engine, dataDirectory);
const id = await driver.run(service);
process.stdout.write(`${id}\n`);
setInterval(() => undefined, 60_000);
