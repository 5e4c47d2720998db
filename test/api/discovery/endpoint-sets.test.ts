import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type EndpointSets, nextEndpointSets } from "../../../api/discovery/endpoint-sets.ts";
import { NOW_MS, observed, replica, service } from "./builders.ts";

const web = service("web", { businessLabels: { team: "checkout" } });

/** What a look at the engine leads to, `slot@version`, or why not. */
function ports(sets: EndpointSets, id = "shop_web"): string {
  const set = sets.sets.get(id);
  if (set === undefined) return sets.unsettled.includes(id) ? "unsettled" : "unknown";
  return set.endpoints.map(({ port }) => port).join(" ");
}

describe("where a service answers", () => {
  test("is every port of its ready replicas, by slot", () => {
    const two = replica("web", 2, "running", {
      readyAtMs: NOW_MS - 5,
      endpoints: [
        { targetPort: 8080, host: "10.0.0.2", port: 8080 },
        { targetPort: 9100, host: "10.0.0.2", port: 9100 },
      ],
    });
    const notReady = (["created", "starting", "unhealthy", "paused", "stopping", "exited"] as const).map(
      (state, index) => replica("web", 3 + index, state),
    );
    const sets = nextEndpointSets(undefined, [web], observed([...notReady, two, replica("web", 1)]));
    assert.deepEqual(sets.sets.get("shop_web"), {
      service: "shop_web",
      project: "shop",
      name: "web",
      businessLabels: { team: "checkout" },
      version: NOW_MS,
      endpoints: [
        { replica: "web-1", slot: 1, host: "127.0.0.1", port: 28_001, targetPort: 8080 },
        { replica: "web-2", slot: 2, host: "10.0.0.2", port: 8080, targetPort: 8080, readyAtMs: NOW_MS - 5 },
        { replica: "web-2", slot: 2, host: "10.0.0.2", port: 9100, targetPort: 9100, readyAtMs: NOW_MS - 5 },
      ],
    });
  });

  test("is nowhere, and still an answer, without any ready replica", () => {
    const sets = nextEndpointSets(undefined, [web], observed([]));
    assert.deepEqual(sets.sets.get("shop_web")?.endpoints, []);
  });

  test("keeps its version, and the answer itself, as long as nothing changes", () => {
    const first = nextEndpointSets(undefined, [web], observed([replica("web", 1)]));
    const later = observed([replica("web", 1), replica("web", 2, "starting")], { atMs: NOW_MS + 60_000 });
    assert.equal(nextEndpointSets(first, [web], later), first);
  });

  test("has a greater version after each change, and the others keep theirs", () => {
    const db = service("db");
    const first = nextEndpointSets(undefined, [web, db], observed([replica("web", 1), replica("db", 1)]));
    const second = nextEndpointSets(first, [web, db], observed([replica("db", 1)], { atMs: NOW_MS + 1_000 }));
    assert.equal(second.sets.get("shop_web")?.version, NOW_MS + 1_000);
    assert.equal(second.sets.get("shop_db")?.version, NOW_MS);
    assert.equal(second.version, NOW_MS + 1_000);
  });

  test("has a greater version even when the clock went back", () => {
    const first = nextEndpointSets(undefined, [web], observed([replica("web", 1)]));
    const back = nextEndpointSets(first, [web], observed([], { atMs: NOW_MS - 3_600_000 }));
    assert.equal(back.sets.get("shop_web")?.version, NOW_MS + 1);
  });

  test("changes with the name that a person gave it", () => {
    const first = nextEndpointSets(undefined, [web], observed([]));
    const renamed = { ...web, businessLabels: { team: "tills" } };
    assert.notEqual(nextEndpointSets(first, [renamed], observed([])), first);
  });

  test("is no more once the service is gone", () => {
    const first = nextEndpointSets(undefined, [web], observed([replica("web", 1)]));
    const gone = nextEndpointSets(first, [], observed([]));
    assert.equal(ports(gone), "unknown");
    assert.ok(gone.version > first.version);
  });

  test("stays for a replica that could not be seen, and not for one that was seen to have ended", () => {
    const first = nextEndpointSets(undefined, [web], observed([1, 2, 3].map((slot) => replica("web", slot))));
    const partly = observed([replica("web", 3), replica("web", 2, "exited")], { complete: false });
    assert.equal(ports(nextEndpointSets(first, [web], partly)), "28001 28003");
    assert.equal(ports(nextEndpointSets(first, [web], { ...partly, complete: true })), "28003");
  });
});

test("a replica that is about to stop answers nobody any more, though it was seen ready", () => {
  const seen = observed([replica("web", 1), replica("web", 2)]);
  const first = nextEndpointSets(undefined, [web], seen);
  const leaving = nextEndpointSets(first, [web], seen, new Set(["web-1"]));
  assert.equal(ports(leaving), "28002");
  assert.equal(leaving.version, NOW_MS + 1);
  const unseen = observed([replica("web", 2)], { complete: false });
  assert.equal(ports(nextEndpointSets(first, [web], unseen, new Set(["web-1"]))), "28002");
});

describe("after a start of the daemon", () => {
  const old = { startedAtMs: NOW_MS - 60_000 };

  test("a service whose replicas ran before is unsettled until they were asked", () => {
    const asking = nextEndpointSets(undefined, [web], observed([replica("web", 1, "starting", old)]));
    assert.equal(ports(asking), "unsettled");
    const answered = nextEndpointSets(asking, [web], observed([replica("web", 1, "running", old)]));
    assert.equal(ports(answered), "28001");
    assert.deepEqual(answered.unsettled, []);
    // Once it was known, what happens to it is told at once.
    const failed = nextEndpointSets(answered, [web], observed([replica("web", 1, "starting", old)]));
    assert.equal(ports(failed), "");
  });

  test("one of them that never becomes ready does not keep the others back for ever", () => {
    const replicas = [replica("web", 1, "starting", old), replica("web", 2, "running", old)];
    const first = nextEndpointSets(undefined, [web], observed(replicas));
    const soon = nextEndpointSets(first, [web], observed(replicas, { atMs: NOW_MS + 9_900 }));
    assert.equal(ports(soon), "unsettled");
    const later = nextEndpointSets(soon, [web], observed(replicas, { atMs: NOW_MS + 10_000 }));
    assert.equal(ports(later), "28002");
  });

  test("replicas that start later are not waited for", () => {
    const sets = nextEndpointSets(undefined, [web], observed([replica("web", 1, "starting")]));
    assert.equal(ports(sets), "");
  });

  test("a first look that was not complete settles nothing", () => {
    const partly = observed([replica("web", 1, "running", old)], { complete: false });
    assert.equal(ports(nextEndpointSets(undefined, [web], partly)), "unsettled");
  });
});
