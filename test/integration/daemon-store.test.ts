import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mustRun } from "../lab/command.ts";
import { eventually, FlyballHouse, SERVICE } from "./flyball-daemon.ts";
import { fillDisk, makeRoom, mountSmallDisk } from "./small-disk.ts";

const skip = process.getuid?.() === 0 ? false : "needs root, to mount a small disk";

async function putOnSmallDisk(house: FlyballHouse, sizeKib: number): Promise<void> {
  mkdirSync(house.dataDirectory, { mode: 0o700 });
  await mountSmallDisk(house.dataDirectory, sizeKib);
  house.defer(() => mustRun("umount", [house.dataDirectory]));
}

function fill(house: FlyballHouse): void {
  fillDisk(house.dataDirectory);
  assert.equal(statfsSync(house.dataDirectory).bfree, 0);
}

describe("a full disk under the data directory", { skip }, () => {
  test("at the start ends the daemon with a clear line, and it starts once there is room", async (t) => {
    const house = await FlyballHouse.open(t);
    await putOnSmallDisk(house, 4_096);
    fill(house);
    for (const words of [["serve"], ["up", "-f", house.compose(`  web:${SERVICE}`)]]) {
      const { status, stdout, stderr } = await house.flyball(...words);
      assert.equal(status, 6, `${words[0]}: ${stdout}${stderr}`);
      assert.match(stderr, /^STORE_FULL: the disk under the data directory is full/m);
      assert.deepEqual(house.processes(), []);
    }
    makeRoom(house.dataDirectory);
    await house.serve();
    assert.equal(await house.stop(), 0);
  });

  test("while it runs holds the scaling and says so; nothing is half done, and it goes on when there is room", async (t) => {
    const house = await FlyballHouse.open(t);
    await putOnSmallDisk(house, 8_192);
    const labels = '    labels: { autoscale.max_cpu: "70", autoscale.window: 2s }\n';
    const file = house.compose(
      `  web:${SERVICE}${labels}    deploy: { replicas: 2 }\n  db:${SERVICE}    restart: always\n`,
    );
    await house.serve();
    await house.must("up", "-f", file);
    await eventually("all are ready", async () => {
      const [web, db] = await Promise.all([house.counts("web"), house.counts("db")]);
      return web.ready === 2 && db.ready === 1;
    });
    fill(house);

    await eventually("the daemon says that scaling holds", () => /scaling holds/.test(house.output), {
      about: () => house.output,
    });
    const refused = await house.flyball("scale", "web=4");
    assert.equal(refused.status, 6, refused.stderr);
    assert.match(refused.stderr, /^STORE_FULL: /m);
    assert.equal((await house.counts()).desired, 2);
    assert.ok(await house.has(2));
    const other = await house.flyball("up", "-f", file, "-p", `${house.project}-other`);
    assert.equal(other.status, 6, other.stderr);
    assert.deepEqual((await house.client.services()).map(({ id }) => id).toSorted(), [
      house.serviceId("db"),
      house.serviceId("web"),
    ]);

    // One that ends cannot be written down while there is no room: it is waited for, and not given up.
    const [victim] = (await house.client.service(house.serviceId("db"))).replicaList;
    assert.ok(victim?.pid !== undefined);
    process.kill(victim.pid, "SIGKILL");
    await eventually(
      "the service is held",
      async () =>
        (await house.client.service(house.serviceId("db"))).holds.some((hold) => /no space left/.test(hold)),
      { about: () => house.output },
    );
    assert.ok(await house.has(0, "db"));

    makeRoom(house.dataDirectory);
    await eventually("the daemon says that it goes on", () => /scaling goes on/.test(house.output));
    await house.untilHas(1, "db");
    await house.must("scale", "web=3");
    await house.untilHas(3);
    await house.must("down", "-f", file);
    await Promise.all([house.untilHas(0), house.untilHas(0, "db")]);
    await eventually("the project is forgotten", async () => (await house.client.services()).length === 0);
    assert.equal(await house.stop(), 0);
    await house.assertNothingLeft();
  });
});

describe("what belongs to one daemon only", () => {
  test("a second daemon on the same data directory ends with a clear line, and the first goes on", async (t) => {
    const house = await FlyballHouse.open(t);
    await house.serve();
    const second = await house.flyball("serve", "--listen", "127.0.0.1:0");
    assert.equal(second.status, 6);
    assert.equal(
      second.stderr.trimEnd(),
      `STORE_LOCKED: another daemon works on the data directory ${house.dataDirectory}`,
    );
    assert.equal((await house.readiness())?.ready, true);
    assert.equal(await house.stop(), 0);
  });

  test("a port that is taken ends the daemon with a clear line, and nothing of it stays", async (t) => {
    const house = await FlyballHouse.open(t);
    await house.serve();
    const elsewhere = join(house.directory, "other");
    const { host } = new URL(house.client.address);
    const second = await house.flyball("serve", "--data-dir", elsewhere);
    assert.equal(second.status, 7);
    assert.match(
      second.stderr,
      new RegExp(`^PORT_IN_USE: ${host} is taken: another program listens there$`, "m"),
    );
    const left = house.processes().filter((pid) => pid !== house.daemonPid);
    assert.equal(left.length, 1, "the first daemon's collector alone");
    // The data directory can be taken by another at once.
    const third = await house.flyball(
      "plan",
      "--data-dir",
      elsewhere,
      "-f",
      house.compose(`  web:${SERVICE}`),
    );
    assert.equal(third.status, 0, third.stderr);
    assert.equal(await house.stop(), 0);
  });

  test("a data directory that cannot be made ends the daemon with a clear line", async (t) => {
    const house = await FlyballHouse.open(t);
    const file = house.write("a-file", "");
    const { status, stderr } = await house.flyball("serve", "--data-dir", join(file, "state"));
    assert.equal(status, 6);
    assert.match(stderr, /^STORE_UNUSABLE: .*a-file/m);
  });

  test("a data directory stays with its engine while it has projects", async (t) => {
    const house = await FlyballHouse.open(t);
    await house.serve();
    await house.must("up", "-f", house.compose(`  web:${SERVICE}`));
    await house.untilHas(1);
    assert.equal(await house.stop(), 0);
    const { status, stderr } = await house.flyball("serve", "--engine", "docker");
    assert.equal(status, 2, stderr);
    assert.match(stderr, /^CONFIG_INVALID: expected the process engine.*got docker/m);
    assert.ok(existsSync(house.dataDirectory) && readdirSync(house.dataDirectory).includes("flyball.db"));
    assert.ok(await house.has(1));
  });
});
