import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode, said } from "./decode-labels.ts";

describe("a label that is not known", () => {
  const slips: [string, string][] = [
    ["autoscale.max_cup", "autoscale.max_cpu"],
    ["autoscale.maxcpu", "autoscale.max_cpu"],
    ["autoscale.MAX_CPU", "autoscale.max_cpu"],
    ["autoscale.steps", "autoscale.step"],
    ["autoscale.dry-run", "autoscale.dry_run"],
    ["probe.htp", "probe.http"],
    ["aliyun.auto_scaling.max_instance", "aliyun.auto_scaling.max_instances"],
  ];
  for (const [written, meant] of slips) {
    test(`${written} is an error that names ${meant}, and the service does not scale by half`, () => {
      const decoded = decode({ "autoscale.max_memory": "80", [written]: "1" }, { limitMemoryBytes: 100 });
      assert.equal(decoded.scaling, undefined);
      assert.deepEqual(said(decoded), [
        `error ${written}: is not a label of Flyball: did you mean ${meant}?`,
      ]);
    });
  }

  test("and is near to none is an error without a guess", () => {
    assert.deepEqual(said(decode({ "autoscale.banana_split": "1" })), [
      "error autoscale.banana_split: is not a label of Flyball",
    ]);
  });

  const prefixSlips: [string, string][] = [
    ["autoscal.max_cpu", "autoscale.max_cpu"],
    ["autoscaler.max_cpu", "autoscale.max_cpu"],
    ["auto_scale.max_cpu", "autoscale.max_cpu"],
    ["Autoscale.Max_CPU", "autoscale.max_cpu"],
    ["autoscale_max_cpu", "autoscale.max_cpu"],
    ["autoscale-max-cpu", "autoscale.max_cpu"],
    ["autoscale/max_cpu", "autoscale.max_cpu"],
    ["prob.http", "probe.http"],
    ["alyun.auto_scaling.max_cpu", "aliyun.auto_scaling.max_cpu"],
    ["busines.team", "business.team"],
  ];
  for (const [written, meant] of prefixSlips) {
    test(`${written} is warned about, because ${meant} was meant`, () => {
      assert.deepEqual(said(decode({ [written]: "70" })), [
        `warning ${written}: is not a label of Flyball: did you mean ${meant}?`,
      ]);
    });
  }

  for (const key of [
    "com.docker.compose.project",
    "com.centurylinklabs.watchtower.enable",
    "traefik.enable",
    "traefik.http.routers.web.rule",
    "app.kubernetes.io/name",
    "org.opencontainers.image.source",
    "autoheal",
    "autoheal.stop.timeout",
    "ofelia.enabled",
    "prometheus.io/scrape",
    "co.elastic.logs/enabled",
    "maintainer",
    "version",
    "team",
    "",
  ]) {
    test(`another tool's label "${key}" says nothing`, () =>
      assert.deepEqual(said(decode({ [key]: "x" })), []));
  }
});
