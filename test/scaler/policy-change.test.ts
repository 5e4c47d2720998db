import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Service } from "../../core/types.ts";
import { policyChanges } from "../../scaler/policy-change.ts";
import { policyOf, serviceOf } from "./builders.ts";

const changed = (after: Service, before?: Service) =>
  policyChanges([after], (id) => (id === before?.id ? before : undefined));

/** Without a rule. */
function unscaled(): Service {
  const { scaling: _, ...service } = serviceOf();
  return service;
}

describe("a service is scaled otherwise", () => {
  const seventy = policyOf({ minReplicas: 1 });
  const eighty = policyOf({ minReplicas: 2 });

  test("when its rules are new, whether or not it was there", () => {
    const after = serviceOf({ scaling: seventy });
    assert.deepEqual(changed(after), [{ service: after.id, after: seventy }]);
    assert.deepEqual(changed(after, unscaled()), [{ service: after.id, after: seventy }]);
  });

  test("when they are not what they were", () => {
    const after = serviceOf({ scaling: eighty });
    const expected = [{ service: after.id, before: seventy, after: eighty }];
    assert.deepEqual(changed(after, serviceOf({ scaling: seventy })), expected);
  });

  test("but not when they are the same, are gone, or only for show", () => {
    const before = serviceOf({ scaling: seventy });
    assert.deepEqual(changed(serviceOf({ scaling: { ...seventy } }), before), []);
    assert.deepEqual(changed(unscaled(), before), []);
    const shown = { ...seventy, dryRun: true, onExternalChange: "hold" as const };
    assert.deepEqual(changed(serviceOf({ scaling: shown }), before), []);
  });
});
