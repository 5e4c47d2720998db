import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatDiagnostic } from "../../../../core/diagnostics.ts";
import type { ReplicaTemplate } from "../../../../core/types.ts";
import { planLaunch } from "../../../../orchestrator/engines/process/launch.ts";
import { type Driver, Lab, projectOf, serviceOf } from "./harness.ts";

function said(driver: Driver, directory: string, fields: Partial<ReplicaTemplate>): string[] {
  return driver.engine.check(projectOf(directory, serviceOf(fields))).map(formatDiagnostic);
}

describe("what is said before anything runs", () => {
  test("a service that is only a command has nothing to be told", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    assert.deepEqual(said(driver, lab.directory, { command: ["sh", "-c", "true"] }), []);
  });

  test("an image alone cannot run", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    assert.deepEqual(said(driver, lab.directory, { image: "shop/web:1" }), [
      "error: services.web.command: the process engine needs a command or an entrypoint: image shop/web:1 alone cannot run without Docker",
    ]);
  });

  test("each thing that only a container has is named", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine({ cgroupRoot: null });
    const all = said(driver, lab.directory, {
      image: "shop/web:1",
      command: ["sh"],
      environment: { PORT: "80" },
      ports: [{ target: 80, protocol: "tcp", published: "8080" }],
      mounts: [{ type: "volume", source: "shop_data", target: "/data", readOnly: false }],
      networks: [{ network: "shop_front", aliases: ["w"] }],
      networkMode: "none",
      resources: { limitMemoryBytes: 1, reservedCores: 1 },
      container: { privileged: true, init: false, capAdd: ["ALL"], dns: [] },
    });
    assert.deepEqual(
      all.map((line) => line.split(": ", 2).join(": ")),
      [
        "warning: services.web.deploy.resources.limits",
        "warning: services.web.image",
        "warning: services.web.ports",
        "warning: services.web.environment",
        "warning: services.web.volumes",
        "warning: services.web.network_mode",
        "warning: services.web.networks",
        "warning: services.web.networks",
        "warning: services.web.deploy.resources.reservations",
        "warning: services.web.privileged",
        "warning: services.web.cap_add",
      ],
    );
  });

  test("a file that can never work is an error, what is missing now a warning", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const fields = { command: ["no-such-command"], user: "nobody-here", stopSignal: "SIGNOPE" };
    const [user, command, signal] = said(driver, lab.directory, fields);
    assert.match(user ?? "", /^error: services.web.user: there is no user nobody-here/u);
    assert.match(command ?? "", /^warning: services.web.command: .*no-such-command was not found in PATH/u);
    assert.match(signal ?? "", /^error: services.web.stop_signal: there is no signal SIGNOPE/u);
  });

  test("without root another user is said not to be enforced, one's own is", () => {
    const accounts = { users: [{ name: "web", uid: 1000, gid: 1000, home: "/srv" }], groups: new Map() };
    const host = { environment: { PATH: "/bin", HOME: "/root", SECRET: "x" }, uid: 1000, accounts };
    const plan = (user: string, uid: number): ReturnType<typeof planLaunch>["launch"] =>
      planLaunch(serviceOf({ command: ["sh"], user }), projectOf("/"), { ...host, uid }).launch;
    assert.deepEqual(plan("0", 1000).notEnforced, ["user: Flyball does not run as root and cannot become 0"]);
    assert.deepEqual(plan("web", 1000).notEnforced, []);
    assert.equal(plan("web", 1000).user, undefined);
    assert.deepEqual(plan("web", 0).user, { uid: 1000, gid: 1000 });
    assert.deepEqual(plan("web", 0).environment, { PATH: "/bin", HOME: "/srv", USER: "web" });
  });
});
