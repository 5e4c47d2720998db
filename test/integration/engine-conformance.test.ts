import { describe, test } from "node:test";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { Lab } from "../orchestrator/engines/process/harness.ts";
import { Bench, type OpenBench } from "./conformance/bench.ts";
import { commands } from "./conformance/commands.ts";
import { declared } from "./conformance/declared.ts";
import { lifecycle } from "./conformance/lifecycle.ts";
import { mishaps } from "./conformance/mishaps.ts";
import { surroundings } from "./conformance/surroundings.ts";
import { DockerProject, openLabEngine } from "./docker-project.ts";

/** What every engine is to do alike: the contract of orchestrator/engine.ts, on each engine that is here. */
function conformance(open: OpenBench): void {
  for (const scenarios of [lifecycle, commands, surroundings, mishaps, declared]) scenarios(open);
}

const LISTEN = "require('node:net').createServer().listen(process.env.PORT, '127.0.0.1')";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("a Docker Engine", { skip }, () => {});

// They wait for engines that have nothing to do with each other.
describe("the contract of an engine", { concurrency: 3 }, () => {
  describe("the process engine", { concurrency: 3 }, () => {
    conformance(async (t) => {
      const lab = await Lab.open(t);
      let driver = await lab.engine();
      const reopen = async () => {
        await driver.close();
        driver = await lab.engine();
        return driver.engine;
      };
      return new Bench({
        engine: driver.engine,
        project: "shop",
        server: [process.execPath, "-e", LISTEN],
        reopen,
      });
    });
  });

  for (const lab of skip === false ? engines : []) {
    describe(`Docker ${lab.name}`, { concurrency: 3 }, () => {
      conformance(async (t) => {
        const on = await DockerProject.open(lab, "conform");
        t.after(() => on[Symbol.asyncDispose]());
        const reopen = async () => {
          await on.engine[Symbol.asyncDispose]();
          const again = await openLabEngine(lab.socketPath);
          t.after(() => again[Symbol.asyncDispose]());
          return again;
        };
        const server = ["httpd", "-f", "-p", "8080", "-h", "/www"];
        return new Bench({ engine: on.engine, project: on.name, server, reopen });
      });
    });
  }
});
