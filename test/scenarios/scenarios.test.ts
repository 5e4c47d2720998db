import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { basename } from "node:path";
import { describe, test } from "node:test";
import { formatDuration, SECOND_MS } from "../../core/units.ts";
import { play, readScenario } from "./scenario.ts";

const FILES = globSync("*.yaml", { cwd: import.meta.dirname }).sort();

describe("a scenario comes out as it is written", () => {
  for (const file of FILES) {
    test(basename(file, ".yaml"), () => {
      const scenario = readScenario(`${import.meta.dirname}/${file}`);
      const decisions = play(scenario);
      for (const { at, replicas, limits, says } of scenario.expect) {
        const decision = decisions[at / SECOND_MS - 1];
        const when = `at ${formatDuration(at)}`;
        assert.ok(decision !== undefined, `${when} is not within what the scenario lasts`);
        if (says !== undefined) assert.ok(decision.sentence.includes(says), `${when}: ${decision.sentence}`);
        if (replicas !== undefined) assert.equal(decision.to, replicas, `${when}: ${decision.sentence}`);
        if (limits !== undefined)
          assert.deepEqual(
            decision.limits.map(({ limit }) => limit),
            limits,
            `${when}: ${decision.sentence}`,
          );
      }
      const changes = decisions.flatMap(({ from, to }, index) =>
        from === to ? [] : [`${formatDuration((index + 1) * SECOND_MS)}: ${from} → ${to}`],
      );
      assert.deepEqual(changes, scenario.changes);
    });
  }
});
