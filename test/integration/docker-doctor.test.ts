import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { diagnose } from "../../orchestrator/doctor/doctor.ts";
import { LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { aService, aTemplate } from "../orchestrator/engines/docker/builders.ts";
import { DockerProject } from "./docker-project.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);

if (skip !== false) test("doctor on a Docker engine", { skip }, () => {});

for (const lab of engines) {
  describe(`doctor on Docker ${lab.name}`, () => {
    test("sees in what compose made all that keeps a service from scaling", async () => {
      await using on = await DockerProject.open(lab, "doctor");
      const subnet = `10.${100 + (process.pid % 100)}.${engines.indexOf(lab)}.0/24`;
      const address = subnet.replace(/0\/24$/, "77");
      on.write(
        "compose.yaml",
        `services:
  plain: { image: "${LAB_IMAGE}", command: sleep 1000, stop_grace_period: 0s, ports: ["80"] }
  fixed:
    image: "${LAB_IMAGE}"
    command: sleep 1000
    stop_grace_period: 0s
    restart: always
    hostname: till
    ports: ["127.0.0.1:38411:80"]
    links: [plain]
    networks: { default: { ipv4_address: "${address}" } }
  single:
    image: "${LAB_IMAGE}"
    command: sleep 1000
    stop_grace_period: 0s
    network_mode: host
    devices: ["/dev/null", "/dev/tty:/dev/till"]
    volumes: ["pg:/var/lib/postgresql/data", "shared:/srv/shared", "logs:/logs:ro", "/anonymous"]
  given:
    image: "${LAB_IMAGE}"
    command: sleep 1000
    stop_grace_period: 0s
    configs: [till]
networks: { default: { ipam: { config: [{ subnet: "${subnet}" }] } } }
volumes: { pg: {}, shared: {}, logs: {} }
configs: { till: { content: "open=yes" } }
`,
      );
      await on.compose("up", "-d");
      const names = ["plain", "fixed", "single", "given"];
      on.project = {
        ...on.project,
        services: names.map((name) => aService(on.name, name, { template: aTemplate({ image: LAB_IMAGE }) })),
      };
      const verdicts = await diagnose(on.project, "docker", on.engine, AbortSignal.timeout(60_000));
      const told = verdicts.map(({ service, verdict, findings }) => ({
        service: service.replace(`${on.name}_`, ""),
        verdict,
        found: findings.map(({ rule }) => rule),
      }));
      assert.deepEqual(told, [
        { service: "plain", verdict: "can", found: [] },
        {
          service: "fixed",
          verdict: "can-after",
          found: ["host-port", "static-ip", "links", "restart-policy", "hostname"],
        },
        {
          service: "single",
          verdict: "cannot",
          found: ["network-mode", "single-writer", "device", "shared-writes"],
        },
        { service: "given", verdict: "can", found: ["injected-files"] },
      ]);
      const because = verdicts.flatMap(({ findings }) => findings.map((finding) => finding.because));
      assert.ok(
        because.includes("compose copied /till into its containers, and nothing but another replica has it"),
      );
      assert.ok(
        because.some((text) => text.startsWith(`its address ${address} on ${on.name}_default is fixed`)),
      );
    });

    test("sees that a tag has moved on since the replica was made", async () => {
      await using on = await DockerProject.open(lab, "moved");
      const base = await on.docker.createContainer({ Image: LAB_IMAGE, Cmd: ["sleep", "1000"] });
      const tag = `${on.name}:1`;
      const commit = () => base.commit({ repo: on.name, tag: "1", comment: String(performance.now()) });
      const made: string[] = [];
      try {
        made.push((await commit()).Id);
        on.define({ web: { image: tag } });
        await on.createNetworks();
        await on.createAndStart("web", 1);
        const before = await diagnose(on.project, "docker", on.engine, AbortSignal.timeout(60_000));
        assert.deepEqual(before[0]?.findings, []);
        made.push((await commit()).Id);
        const [verdict] = await diagnose(on.project, "docker", on.engine, AbortSignal.timeout(60_000));
        const [old = "", now = ""] = made.map((id) => id.replace("sha256:", "").slice(0, 12));
        assert.equal(verdict?.verdict, "can");
        assert.equal(
          verdict?.findings[0]?.because,
          `${tag} is image ${now} by now, and its replicas run ${old}: more are made of what runs`,
        );
      } finally {
        for (const { Id } of await on.containers())
          await on.docker.getContainer(Id).remove({ force: true, v: true });
        await base.remove({ force: true });
        for (const id of made) await on.docker.getImage(id).remove({ force: true });
      }
    });
  });
}
