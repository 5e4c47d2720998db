import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Discovery } from "../../../api/discovery/discovery.ts";
import { NOW_MS, observed, replica, service } from "./builders.ts";

const web = service("web");

/** The slots that answer. */
function slots(discovery: Discovery): string {
  return discovery
    .endpoints("shop_web")
    .endpoints.map(({ slot }) => slot)
    .join();
}

describe("a replica that leaves", () => {
  const both = [replica("web", 1), replica("web", 2)];

  test("is out before anything of it can be seen, and those who wait are told", () => {
    const discovery = new Discovery(() => [web]);
    discovery.leaves("web-1");
    discovery.observed(observed(both));
    assert.equal(slots(discovery), "1,2");
    let told = 0;
    using _watch = discovery.onChange(() => {
      told += 1;
    });
    discovery.leaves("web-1");
    assert.equal(slots(discovery), "2");
    assert.equal(told, 1);
    // The next look may have begun before it was told to stop.
    discovery.observed(observed(both, { atMs: NOW_MS + 1_000 }));
    assert.equal(slots(discovery), "2");
    assert.equal(told, 1);
  });

  test("comes back when it was started again, or when it was not stopped after all", () => {
    const discovery = new Discovery(() => [web]);
    discovery.observed(observed(both));
    discovery.leaves("web-1");
    discovery.observed(
      observed([replica("web", 1, "stopping"), replica("web", 2)], { atMs: NOW_MS + 1_000 }),
    );
    discovery.observed(observed(both, { atMs: NOW_MS + 2_000 }));
    assert.equal(slots(discovery), "1,2");
    discovery.leaves("web-2");
    discovery.observed(observed(both, { atMs: NOW_MS + 31_900 }));
    assert.equal(slots(discovery), "1");
    discovery.observed(observed(both, { atMs: NOW_MS + 32_000 }));
    assert.equal(slots(discovery), "1,2");
  });

  test("stays out as long as it cannot be seen", () => {
    const discovery = new Discovery(() => [web]);
    discovery.observed(observed(both));
    discovery.leaves("web-1");
    discovery.observed(observed([replica("web", 2)], { atMs: NOW_MS + 1_000, complete: false }));
    discovery.observed(observed(both, { atMs: NOW_MS + 2_000 }));
    assert.equal(slots(discovery), "2");
  });
});
