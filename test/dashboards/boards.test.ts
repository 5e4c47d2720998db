import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DaemonMetrics } from "../../api/metrics.ts";
import { CONTAINER_FAMILIES, HOST_FAMILIES, OWN_FAMILIES } from "../../collector/expose/families.ts";
import { boardFiles } from "../../dashboards/generate.ts";
import { committedBoards, shownPanels } from "./board-files.ts";

const boards = committedBoards();
const COLUMNS = 24;
/** Panels that every Grafana since 12 still draws. */
const KINDS = ["timeseries", "stat", "state-timeline", "row"];
/** What is not Flyball's: of any Node process, and of Prometheus itself. */
const OTHERS = ["nodejs_eventloop_lag_p99_seconds", "process_cpu_seconds_total", "up"];

function familiesThatThereAre(): Set<string> {
  const daemon = new DaemonMetrics({
    services: () => [],
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
  const all = [...CONTAINER_FAMILIES, ...HOST_FAMILIES, ...OWN_FAMILIES, ...daemon.families()];
  return new Set([...all.map(({ name }) => name), ...OTHERS]);
}

test("the boards that are committed are those that npm run dashboards writes", () => {
  const stale = boardFiles().filter(({ committed, generated }) => committed !== generated);
  assert.deepEqual(
    stale.map(({ path }) => path),
    [],
    "run npm run dashboards",
  );
  assert.equal(boards.size, boardFiles().length, "and there is no other");
});

test("no two boards have the same address or the same title", () => {
  const all = [...boards.values()];
  assert.equal(new Set(all.map(({ uid }) => uid)).size, boards.size);
  assert.equal(new Set(all.map(({ title }) => title)).size, boards.size);
  assert.ok(all.every(({ uid }) => uid.length <= 40));
});

for (const [file, board] of boards) {
  describe(`the board ${file}`, () => {
    test("is in the form that files are provisioned in", () => {
      assert.equal(board.schemaVersion, 42);
      assert.deepEqual([...new Set(board.panels.map(({ type }) => type))].filter(unknownKind), []);
    });

    test("gives each panel a number, a title, a description, a unit and the chosen Prometheus", () => {
      assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
      assert.ok(board.panels.every(({ id }) => id > 0));
      for (const { title, description, datasource, fieldConfig, targets } of shownPanels(board)) {
        assert.ok(title !== "" && (description ?? "") !== "", `"${title}" has no description`);
        assert.ok(fieldConfig?.defaults.unit !== undefined, `"${title}" has no unit`);
        assert.ok(targets.length > 0, `"${title}" asks for nothing`);
        for (const one of [{ datasource }, ...targets]) {
          assert.equal(one.datasource?.uid, "$".concat("{datasource}"), title);
        }
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
      }
    });

    test("has no panel over another, and none outside of the columns", () => {
      const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
        assert.ok(x + w <= COLUMNS);
        return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`);
      });
      assert.equal(new Set(cells).size, cells.length);
    });

    test("asks for families that Flyball has", () => {
      const known = familiesThatThereAre();
      const expressions = [
        ...board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
        ...board.annotations.list.map(({ expr }) => expr),
        ...board.templating.list.map(({ query }) => query),
      ];
      const named = expressions.flatMap(
        (text) => text.match(/\b(?:flyball|container(?!_label_)|node|nodejs|process|machine)_\w+/g) ?? [],
      );
      assert.deepEqual(
        named.filter((name) => !known.has(name)),
        [],
      );
      assert.ok(named.length > 0);
    });
  });
}

function unknownKind(type: string): boolean {
  return !KINDS.includes(type);
}
