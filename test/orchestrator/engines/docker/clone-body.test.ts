import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planFromClone } from "../../../../orchestrator/engines/docker/clone-body.ts";
import type { InspectedContainer } from "../../../../orchestrator/engines/docker/wire.ts";
import { anInspection, aProject, aService, CONTAINER_ID } from "./builders.ts";

const SHORT_ID = CONTAINER_ID.slice(0, 12);
const ANONYMOUS = "ab".repeat(32);

function cloneOf(original: InspectedContainer, tagImageId: string | undefined = original.Image) {
  const service = aService("shop", "web");
  return planFromClone(
    original,
    { project: aProject("shop", [service]), service, slot: 4, instanceId: "d" },
    tagImageId,
  );
}

describe("a clone of a container that compose made", () => {
  test("is the same with the next number, compose's labels and ours", () => {
    const original = anInspection({
      config: {
        Labels: {
          "com.docker.compose.project": "shop",
          "com.docker.compose.service": "web",
          "com.docker.compose.container-number": "1",
          "com.docker.compose.config-hash": "c0ffee",
          "com.docker.compose.replace": "0123",
          "business.team": "checkout",
        },
      },
    });
    assert.deepEqual(cloneOf(original), {
      name: "shop-web-4",
      body: {
        Image: "shop/web:1.4",
        Domainname: "",
        Env: ["A=1"],
        Cmd: ["serve"],
        Entrypoint: null,
        Labels: {
          "com.docker.compose.project": "shop",
          "com.docker.compose.service": "web",
          "com.docker.compose.container-number": "4",
          "com.docker.compose.config-hash": "c0ffee",
          "com.docker.compose.oneoff": "False",
          "business.team": "checkout",
          "flyball.owner": "d",
          "flyball.project": "shop",
          "flyball.service": "web",
          "flyball.slot": "4",
          "flyball.template-hash": "hash-1",
          "flyball.cloned-from": CONTAINER_ID,
        },
        HostConfig: { NetworkMode: "shop_default", PortBindings: {}, PublishAllPorts: false },
      },
      seats: [{ network: "shop_default", endpoint: { Aliases: [] } }],
    });
  });

  test("is seen by compose also where its original is not", () => {
    const labels = { "com.docker.compose.project": "shop", "com.docker.compose.service": "web" };
    const { body } = cloneOf(anInspection({ name: "/somebody", config: { Labels: labels } }));
    assert.equal(body.Labels?.["com.docker.compose.config-hash"], "hash-1");
    assert.equal(body.Labels?.["com.docker.compose.oneoff"], "False");
    assert.equal(body.Labels?.["com.docker.compose.container-number"], "4");
  });

  test("is made by the tag while that still means the same image, else by the image's id", () => {
    assert.equal(cloneOf(anInspection({}), "sha256:1111").body.Image, "shop/web:1.4");
    assert.equal(cloneOf(anInspection({}), "sha256:2222").body.Image, "sha256:1111");
    const untagged = anInspection({});
    const service = aService("shop", "web");
    const identity = { project: aProject("shop", [service]), service, slot: 4, instanceId: "d" };
    assert.equal(planFromClone(untagged, identity, undefined).body.Image, "sha256:1111");
  });

  test("gets a hostname only where a person has chosen one", () => {
    assert.equal(cloneOf(anInspection({})).body.Hostname, undefined);
    const chosen = cloneOf(anInspection({ config: { Hostname: "web", Domainname: "example.org" } }));
    assert.equal(chosen.body.Hostname, "web");
    assert.equal(chosen.body.Domainname, "example.org");
  });

  test("takes its seats under its own name, without addresses and without its original's id", () => {
    const original = anInspection({
      host: { NetworkMode: "shop_front" },
      network: {
        Networks: {
          shop_back: {
            NetworkID: "n2",
            IPAddress: "10.0.0.2",
            Aliases: ["shop-web-1", "web", SHORT_ID],
            IPAMConfig: { IPv4Address: "10.0.0.2" },
            Links: ["shop-db-1:db"],
            DriverOpts: { key: "value" },
            GwPriority: 7,
          },
          shop_front: { Aliases: ["shop-web-1", "web", "www"] },
        },
      },
    });
    assert.deepEqual(cloneOf(original).seats, [
      { network: "shop_front", endpoint: { Aliases: ["shop-web-4", "web", "www"] } },
      {
        network: "shop_back",
        endpoint: {
          Aliases: ["shop-web-4", "web"],
          Links: ["shop-db-1:db"],
          DriverOpts: { key: "value" },
          GwPriority: 7,
        },
      },
    ]);
  });

  test("shares what has a name and gets its own of what has none", () => {
    const { body } = cloneOf(
      anInspection({
        config: { Volumes: { "/from-image": {} } },
        host: {
          Binds: ["shop_data:/data:rw", "/srv/x:/x:ro", `${ANONYMOUS}:/handed-on:rw`],
          Mounts: [
            { Type: "volume", Source: ANONYMOUS, Target: "/cache" },
            { Type: "volume", Source: "shop_kept", Target: "/kept" },
            { Type: "tmpfs", Target: "/tmp" },
          ],
        },
      }),
    );
    assert.deepEqual(body.HostConfig.Binds, ["shop_data:/data:rw", "/srv/x:/x:ro"]);
    assert.deepEqual(body.Volumes, { "/from-image": {}, "/handed-on": {} });
    assert.deepEqual(body.HostConfig.Mounts, [
      { Type: "volume", Target: "/cache" },
      { Type: "volume", Source: "shop_kept", Target: "/kept" },
      { Type: "tmpfs", Target: "/tmp" },
    ]);
  });

  test("links as create takes them, no id file, and everything unknown passed along", () => {
    const { body } = cloneOf(
      anInspection({
        config: { StopSignal: "SIGQUIT", MacAddress: "02:42:ac:11:00:02" },
        host: { Links: ["/db-1:/shop-web-1/db"], ContainerIDFile: "/run/id", AutoRemove: false, Init: true },
      }),
    );
    assert.deepEqual(body.HostConfig.Links, ["db-1:db"]);
    assert.equal("ContainerIDFile" in body.HostConfig, false);
    assert.equal(body.HostConfig["Init"], true);
    assert.equal(body["StopSignal"], "SIGQUIT");
    assert.equal("MacAddress" in body, false, "a fixed hardware address would be there twice");
  });

  test("in another container's network it has no hostname, no ports and no seats, which the engine would refuse", () => {
    const plan = cloneOf(
      anInspection({
        config: { Hostname: "web", Domainname: "example.org", ExposedPorts: { "80/tcp": {} } },
        host: { NetworkMode: "container:abc", PortBindings: {}, PublishAllPorts: false },
        network: { Networks: {} },
      }),
    );
    assert.deepEqual(plan.seats, []);
    for (const field of ["Hostname", "ExposedPorts"]) assert.equal(plan.body[field], undefined);
    assert.equal("PortBindings" in plan.body.HostConfig, false);
  });

  test("on the engine's own networks it asks for no aliases, which those do not know", () => {
    const host = { NetworkMode: "bridge" };
    assert.deepEqual(
      cloneOf(anInspection({ host, network: { Networks: { bridge: { Aliases: null } } } })).seats,
      [],
    );
  });

  test("is named as compose v1 names where v1 made the original", () => {
    assert.equal(cloneOf(anInspection({ name: "/shop_web_1" })).name, "shop_web_4");
    assert.equal(cloneOf(anInspection({ name: "/my-own-name" })).name, "shop-web-4");
  });
});
