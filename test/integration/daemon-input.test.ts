import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { eventually, FlyballHouse, SERVICE } from "./flyball-daemon.ts";

const BOMB = `
a: &a [x, x, x, x, x, x, x, x, x, x]
${"bcdefghi"
  .split("")
  .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${"abcdefgh"[index]}`).join(", ")}]`)
  .join("\n")}
services: { web: { image: w, command: *i } }
`;

/** Files that nothing can be made of: what they hold, how the command ends, and what it says. */
const REFUSED: Record<string, { text: string; says: RegExp }> = {
  "an empty file": {
    text: "",
    says: /^COMPOSE_INVALID: [\s\S]*compose\.yaml.*expected services, got an empty file/m,
  },
  "a file that is no YAML": { text: "services: [}", says: /^COMPOSE_INVALID: [\s\S]*compose\.yaml:1:\d+/m },
  "a YAML bomb": { text: BOMB, says: /^COMPOSE_(?:TOO_LARGE|INVALID): / },
  "a file of 10 MB": {
    text: `services: { web: { image: w, command: "${"x".repeat(10 * 2 ** 20)}" } }`,
    says: /^COMPOSE_TOO_LARGE: .*compose\.yaml/m,
  },
  "a required variable that is missing": {
    text: `services: { web: { image: "w:\${VERSION:?which version?}" } }`,
    says: /^COMPOSE_INVALID: [\s\S]*VERSION.*which version\?/m,
  },
  "a key that compose does not have": {
    text: "services: { web: { image: w, comand: [a] } }",
    says: /^COMPOSE_INVALID: [\s\S]*comand.*command/m,
  },
  "nothing to run": {
    text: "services: { web: { image: w } }",
    says: /^COMPOSE_INVALID: [\s\S]*services\.web/m,
  },
};

describe("a compose file that cannot be used", () => {
  test("is refused by up and plan where a daemon runs, and nothing is made", async (t) => {
    const house = await FlyballHouse.open(t);
    await house.serve();
    for (const [what, { text, says }] of Object.entries(REFUSED)) {
      const file = house.write("compose.yaml", text);
      const ends = await Promise.all(
        ["up", "plan"].map((command) => house.flyball(command, "-f", file, "-p", house.project)),
      );
      for (const { status, stdout, stderr } of ends) {
        assert.equal(status, 2, `${what}: ${stdout}${stderr.slice(0, 2_000)}`);
        assert.match(stderr, says, what);
        assert.ok(stderr.length < 5_000, `${what}: the message has ${stderr.length} characters`);
        assert.equal(stdout, "");
      }
    }
    assert.deepEqual(await house.client.services(), []);
    assert.deepEqual(await house.seen(), []);
    assert.equal((await house.readiness())?.ready, true);
    assert.equal(await house.stop(), 0);
    await house.assertNothingLeft();
  });

  test("is refused where none runs, before anything is started", async (t) => {
    const house = await FlyballHouse.open(t);
    const file = house.write("compose.yaml", "");
    for (const command of ["up", "plan", "down"]) {
      const { status, stderr } = await house.flyball(command, "-f", file);
      assert.equal(status, 2, stderr);
    }
    assert.equal((await house.flyball("up", "-f", "nowhere.yaml")).status, 2);
    assert.equal(existsSync(house.dataDirectory), false);
    assert.deepEqual(house.processes(), []);
  });
});

/** Labels that cannot be used: what is said of them. */
const LABELS: Record<string, { label: string; says: RegExp }> = {
  unknown: {
    label: 'autoscale.max_cpus: "70"',
    says: /warning: services\.unknown\.labels\.autoscale\.max_cpus: .*did you mean autoscale\.max_cpu\?/,
  },
  seventy: {
    label: "autoscale.max_cpu: seventy",
    says: /warning: services\.seventy\.labels\.autoscale\.max_cpu: expected .*got "seventy"/,
  },
  crossed: {
    label: 'autoscale.max_cpu: "70", autoscale.min: "5", autoscale.max: "2"',
    says: /warning: services\.crossed\.labels\.autoscale\.min: must not be above .*got min 5 and max 2/,
  },
  still: {
    label: 'autoscale.max_cpu: "70", autoscale.step: "0"',
    says: /warning: services\.still\.labels\.autoscale\.step: expected .*got "0"/,
  },
};

describe("labels that cannot be used", () => {
  test("are named, their services run without scaling, and the others scale", async (t) => {
    const house = await FlyballHouse.open(t);
    const bad = Object.entries(LABELS).map(
      ([name, { label }]) => `  ${name}:${SERVICE}    labels: { ${label} }\n`,
    );
    const file = house.compose(`  web:${SERVICE}    labels: { autoscale.max_cpu: "70" }\n${bad.join("")}`);
    await house.serve();
    const [planned, done] = [await house.must("plan", "-f", file), await house.must("up", "-f", file)];
    for (const { says } of Object.values(LABELS)) {
      assert.match(planned, says);
      assert.match(done, says);
    }
    const names = ["web", ...Object.keys(LABELS)];
    for (const name of names) await house.untilHas(1, name);
    const services = await house.client.services();
    assert.deepEqual(
      services.filter(({ autoscale }) => autoscale !== undefined).map(({ name }) => name),
      ["web"],
    );
    const decisions = await eventually("web is evaluated", async () => {
      const found = await house.client.decisions(house.serviceId(), { limit: 1, changesOnly: false });
      return found.length > 0 && found;
    });
    assert.equal(decisions[0]?.service, house.serviceId());

    const mended = house.compose(
      names.map((name) => `  ${name}:${SERVICE}    labels: { autoscale.max_cpu: "70" }\n`).join(""),
    );
    const before = (await Promise.all(names.map((name) => house.seen(name)))).flat().map(({ id }) => id);
    await house.must("up", "-f", mended);
    assert.ok((await house.client.services()).every(({ autoscale }) => autoscale !== undefined));
    const after = (await Promise.all(names.map((name) => house.seen(name)))).flat().map(({ id }) => id);
    assert.deepEqual(after, before, "a label that was mended restarts nothing");
    await house.must("down", "-f", mended);
    await eventually("all are gone", async () => (await house.client.services()).length === 0);
    assert.equal(await house.stop(), 0);
    await house.assertNothingLeft();
  });
});
