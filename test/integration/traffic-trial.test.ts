import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { freePort } from "../lab/free-port.ts";
import { haproxyPrograms, skipWithoutHaproxy } from "../lab/haproxy.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";
import { endHaproxy } from "./haproxy-end.ts";

const programs = haproxyPrograms();
const skip = skipWithoutHaproxy(programs);
const run = promisify(execFile);

/** Fails that share of its requests, spread evenly; ends when it is told to. */
const SERVER = `
import { createServer } from "node:http";
const failing = Number(process.env.FAILING);
let [asked, failed] = [0, 0];
const server = createServer((request, response) => {
  asked += 1;
  const fails = request.url === "/" && failed < asked * failing;
  if (fails) failed += 1;
  response.writeHead(fails ? 500 : 200).end(process.env.VERSION);
});
server.keepAliveTimeout = 120_000;
server.listen(process.env.PORT, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

for (const program of programs) {
  describe(`a new version beside the old one, behind HAProxy ${program.name}`, { skip }, () => {
    test("that fails 30 % of its requests is taken back by itself, and few requests were lost", async (t) => {
      const port = await freePort();
      const house = await FlyballHouse.open(t, undefined, {
        FLYBALL_TRAFFIC_HTTP: `127.0.0.1:${port}`,
        FLYBALL_HAPROXY: program.path,
      });
      house.defer(async () => endHaproxy(house));
      house.write("server.mjs", SERVER);
      const compose = (version: string, failing: number) =>
        house.compose(`  web:
    image: none
    command: ["${process.execPath}", "server.mjs"]
    environment: { VERSION: "${version}", FAILING: "${failing}" }
    deploy: { replicas: 2, update_config: { monitor: 1s } }
    labels:
      lb.port: "80"
      probe.http: /ready
`);
      const url = `http://127.0.0.1:${port}/`;
      const versionsSeen = async () => {
        const answers = await Promise.all(Array.from({ length: 40 }, () => fetch(`${url}ready`)));
        return new Set(await Promise.all(answers.map((answer) => answer.text())));
      };
      await house.serve();
      await house.must("up", "-f", compose("one", 0));
      // Until the balancer listens nobody answers at all.
      await eventually("it answers", () =>
        fetch(url).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      await eventually("all of it has proven healthy", async () => {
        const [rollout] = await house.client.rollouts();
        return rollout?.state === "done";
      });

      const load = run("wrk", ["-t1", "-c1", "-d12s", "--timeout", "5s", url], { maxBuffer: 1e6 });
      const steps = ["--steps", "20%,50%", "--step-time", "5s"];
      await house.must("deploy", "-f", compose("two", 0.3), "--blue-green", ...steps);
      const abandoned = await eventually(
        "it is taken back",
        async () => {
          const [rollout] = await house.client.rollouts();
          return rollout?.state === "rolled back" ? rollout : undefined;
        },
        { about: () => house.output },
      );
      assert.match(abandoned.reason ?? "", /requests/);
      const { stdout } = await load;
      const asked = Number(/(\d+) requests in/.exec(stdout)?.[1]);
      const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
      t.diagnostic(`${failed} of ${asked} requests failed, as wrk counts them; ${abandoned.reason}`);
      assert.ok(failed > 0 && failed / asked <= 0.03, stdout);
      assert.doesNotMatch(stdout, /Socket errors/);
      await eventually("the old version is alone", async () => {
        const seen = await house.seen();
        return seen.length === 2 && seen.every(({ version }) => version === undefined || version === "one");
      });
      assert.deepEqual([...(await versionsSeen())], ["one"]);

      await house.must("deploy", "-f", compose("three", 0), "--canary", "50%");
      await eventually("both versions answer", async () => (await versionsSeen()).size === 2);
      await house.must("promote", "web");
      await eventually("the new version is alone", async () => {
        const seen = await versionsSeen();
        return seen.size === 1 && seen.has("three");
      });
      assert.equal((await house.counts()).desired, 2);
      await house.must("down");
      assert.equal(await house.stop(), 0);
    });
  });
}
