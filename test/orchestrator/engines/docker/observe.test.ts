import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../../../core/clock.ts";
import { createLog } from "../../../../core/log.ts";
import { openDockerEngine } from "../../../../orchestrator/engines/docker/engine.ts";
import { project, service } from "../../builders.ts";

const numbered = (id: string, number: string) => ({
  Id: id.repeat(64),
  Names: [`/shop-web-${id}`],
  State: "created",
  Labels: {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": number,
    "flyball.owner": "test",
  },
});

test("a container whose number cannot be read is warned of once, and again when another comes", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fbobserve-"));
  t.after(() => rmSync(directory, { recursive: true }));
  let containers = [numbered("a", "1"), numbered("b", "two")];
  const answers: Readonly<Record<string, () => unknown>> = {
    version: () => ({ Version: "26.1.5", ApiVersion: "1.45" }),
    info: () => ({ NCPU: 2, MemTotal: 1e9 }),
    "containers/json": () => containers,
    networks: () => [],
    volumes: () => ({ Volumes: [] }),
  };
  const server = http.createServer(({ url }, response) => {
    const path = /^(?:\/v[\d.]+)?\/([^?]*)/u.exec(url ?? "")?.[1] ?? "";
    const answer = answers[path];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer?.() ?? { message: "not found" }));
  });
  const socketPath = join(directory, "engine.sock");
  server.listen(socketPath);
  await once(server, "listening");
  t.after(() => server.close());

  const warnings: string[] = [];
  const log = createLog("warn", { write: (line) => warnings.push(line) });
  await using engine = await openDockerEngine({ socketPath, instanceId: "i", clock: systemClock, log });
  const look = () => engine.observe([project([service("web")])], AbortSignal.timeout(10_000));
  const slots = ({ replicas }: Awaited<ReturnType<typeof look>>) => replicas.map(({ slot }) => slot);

  assert.deepEqual(slots(await look()), [1, 2]);
  assert.deepEqual(slots(await look()), [1, 2]);
  assert.equal(warnings.length, 1, warnings.join());
  assert.match(warnings[0] ?? "", /"number":"two","slot":2/u);
  containers = [...containers, numbered("c", "three")];
  await look();
  assert.equal(warnings.length, 2, warnings.join());
});
