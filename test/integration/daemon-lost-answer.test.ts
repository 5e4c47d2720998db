import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { SteppedSocket } from "../chaos/stepped-socket.ts";
import { LAB_IMAGE, type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually, FlyballHouse, VERSION_LABEL } from "./flyball-daemon.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("lost answers of a Docker Engine", { skip }, () => {});

const definition = (version: number) => `  web:
    image: ${LAB_IMAGE}
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    labels: { ${VERSION_LABEL}: "${version}" }
    deploy: { update_config: { order: stop-first, monitor: 200ms } }
`;

async function goesOn(t: TestContext, lab: LabEngine): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "flyball-lost-"));
  const socket = new SteppedSocket(join(directory, "engine.sock"), lab.socketPath);
  t.after(async () => {
    await socket[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  await socket.join();
  const house = await FlyballHouse.open(t, lab, { DOCKER_HOST: `unix://${socket.path}` });
  await house.serve();
  await house.must("up", "-d", "-f", house.compose(definition(1)));
  await house.untilHas(1);

  const struck = Promise.withResolvers<string>();
  // The first thing that is changed is the old replica, which is told to stop.
  socket.aim({ step: 1, moment: "answered" }, struck.resolve);
  await house.must("up", "-d", "-f", house.compose(definition(2)));
  t.diagnostic(await struck.promise);
  await eventually(
    "the new one runs",
    async () => (await house.has(1)) && (await house.seen()).every(({ version }) => version === "2"),
    { about: () => house.output, patienceMs: 30_000 },
  );
}

for (const lab of engines) {
  describe(`a stop of which Docker ${lab.version} is not heard again`, () => {
    test("is not taken for somebody's wish, and the update goes on", (t) => goesOn(t, lab));
  });
}
