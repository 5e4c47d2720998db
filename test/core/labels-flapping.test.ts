import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode, said } from "./decode-labels.ts";

describe("labels that flap by arithmetic", () => {
  test("are warned about, with a value that does not", () => {
    const decoded = decode({ "autoscale.max_cpu": "70", "autoscale.min_cpu": "50", "autoscale.step": "1" });
    assert.ok(decoded.scaling !== undefined);
    assert.deepEqual(said(decoded), [
      "warning autoscale.min_cpu: flaps by arithmetic: 70 % of 1 is 35 % of 2, below 50 %; " +
        'a scale-in that would have to be undone is refused, but say min_cpu: "35" or less, or a smaller step',
    ]);
  });

  test("are told in the percentages that were written", () => {
    const [warning] = said(
      decode({ "autoscale.max_cpu": "57", "autoscale.min_cpu": "29", "autoscale.step": "1" }),
    );
    assert.match(warning ?? "", /57 % of 1 is 28\.5 % of 2, below 29 %/);
  });

  test("are not those where one step leads below the upper and above the lower threshold", () => {
    assert.deepEqual(
      said(decode({ "autoscale.max_cpu": "70", "autoscale.min_cpu": "35", "autoscale.step": "1" })),
      [],
    );
    assert.deepEqual(
      said(
        decode({
          "autoscale.max_cpu": "70",
          "autoscale.min_cpu": "50",
          "autoscale.step": "1",
          "autoscale.min": "4",
        }),
      ),
      [],
    );
  });

  test("are not those that cannot step at all", () => {
    const labels = {
      "autoscale.max_cpu": "70",
      "autoscale.min_cpu": "60",
      "autoscale.min": "3",
      "autoscale.max": "3",
      "autoscale.step": "1",
    };
    assert.deepEqual(said(decode(labels)), []);
  });

  test("are found among requests per second as well", () => {
    const rps = { "autoscale.max_rps": "100", "autoscale.min_rps": "50.5", "metrics.port": "80" };
    assert.deepEqual(said(decode({ ...rps, "autoscale.step": "1" })), [
      "warning autoscale.min_rps: flaps by arithmetic: 100/s of 1 is 50/s of 2, below 50.5/s; " +
        'a scale-in that would have to be undone is refused, but say min_rps: "50" or less, or a smaller step',
    ]);
  });

  test("are none where a target is followed, which knows no steps", () => {
    assert.deepEqual(said(decode({ "autoscale.max_cpu": "70", "autoscale.min_cpu": "50" })), []);
  });

  test("are never told to say a percentage that would be refused", () => {
    const [warning] = said(
      decode({ "autoscale.max_cpu": "3", "autoscale.min_cpu": "2", "autoscale.step": "9" }),
    );
    assert.match(warning ?? "", /flaps by arithmetic/);
    assert.doesNotMatch(warning ?? "", /"0"|"1"/);
  });
});
