import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, serviceHref } from "../../../dashboards/console/page/state/place.ts";

test("the address of a service leads to it, whatever its name", () => {
  for (const id of ["shop_web", "a/b#c", "100 %", "<b>", "ü_日本"]) {
    assert.deepEqual(placeOf(serviceHref(id)), { page: "service", id, decisionAtMs: undefined });
    assert.deepEqual(placeOf(serviceHref(id, 1_800)), { page: "service", id, decisionAtMs: 1_800 });
  }
});

test("an address that leads nowhere leads to the services", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/service/", "#alerts/.."]) {
    assert.ok(["services", "alerts"].includes(placeOf(hash).page), hash);
  }
  assert.deepEqual(placeOf("#/timeline"), { page: "timeline" });
  assert.deepEqual(placeOf("#/service/%E0%A4%A"), {
    page: "service",
    id: "%E0%A4%A",
    decisionAtMs: undefined,
  });
});
