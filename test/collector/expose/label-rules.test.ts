import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LabelBook } from "../../../collector/expose/label-book.ts";
import { type LabelSettings, labelRules, shownLabels } from "../../../collector/expose/label-rules.ts";
import { discovered, measurement, pageOf, pagesOf, round } from "./readings.ts";

function shown(
  labels: Readonly<Record<string, string>>,
  settings: LabelSettings = {},
): Record<string, string> {
  const result = shownLabels(discovered({ labels }), labelRules(settings));
  return Object.fromEntries(result.labels.map(({ name, value }) => [name, value]));
}

function problems(labels: Readonly<Record<string, string>>, settings: LabelSettings = {}): string[] {
  return shownLabels(discovered({ labels }), labelRules(settings)).problems.map(
    ({ key, problem }) => `${key}: ${problem}`,
  );
}

describe("of a container's labels", () => {
  test("those of the business, those of compose and Swarm, and no others are shown", () => {
    assert.deepEqual(
      shown({
        "business.team": "checkout",
        "com.docker.compose.project": "shop",
        "com.docker.swarm.service.name": "shop_web",
        "org.opencontainers.image.created": "2024",
        "autoscale.max_cpu": "70",
      }),
      {
        team: "checkout",
        container_label_com_docker_compose_project: "shop",
        container_label_com_docker_swarm_service_name: "shop_web",
      },
    );
  });

  test("the settings rename some and allow more", () => {
    const settings = { renamed: { "com.example.team": "team" }, allowed: ["maintainer"] };
    assert.deepEqual(shown({ "com.example.team": "search", maintainer: "Ann" }, settings), {
      team: "search",
      container_label_maintainer: "Ann",
    });
    // What the business says of itself comes first.
    const both = { "com.example.team": "search", "business.team": "checkout" };
    assert.deepEqual(shown(both, settings), { team: "checkout" });
    assert.deepEqual(problems(both, settings), ["com.example.team: collision"]);
  });

  test("names are cleaned, and dropped where nothing is left", () => {
    assert.deepEqual(
      shown({
        "business.cost-center": "a",
        "business.2nd": "b",
        "business.__x": "c",
        "business.é!": "d",
        "business.": "e",
      }),
      { _2nd: "b", _x: "c", cost_center: "a" },
    );
    assert.deepEqual(problems({ "business.é!": "d", "business.": "e" }), [
      "business.: name",
      "business.é!: name",
    ]);
  });

  test("of two that become the same name one stays, the same each time", () => {
    assert.deepEqual(shown({ "business.a.b": "1", "business.a-b": "2" }), { a_b: "2" });
    assert.deepEqual(shown({ "business.a-b": "2", "business.a.b": "1" }), { a_b: "2" });
  });

  test("names that a series or a scraper uses are not taken", () => {
    assert.deepEqual(shown({ "business.id": "x", "business.instance": "y", "business.interface": "z" }), {});
    assert.deepEqual(problems({ "business.id": "x" }), ["business.id: reserved"]);
  });

  test("long values are cut, never within a character", () => {
    const long = shown({ "business.note": "x".repeat(10_000) });
    assert.equal(long["note"]?.length, 256);
    assert.deepEqual(shown({ "business.note": "ab🎉" }, { maxValueLength: 3 }), { note: "ab" });
    assert.deepEqual(problems({ "business.note": "abcd" }, { maxValueLength: 3 }), ["business.note: cut"]);
  });

  test("no more than so many are shown", () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`business.l${index}`, "x"]));
    assert.equal(Object.keys(shown(many)).length, 32);
    assert.equal(problems(many).length, 8);
  });
});

describe("a label with too many values", () => {
  const container = (id: string, team: string) => discovered({ id, labels: { "business.team": team } });

  test("is left out of the containers that come next, until a value is free again; said once and counted", () => {
    const warnings: object[] = [];
    const book = new LabelBook(labelRules({ maxValuesPerLabel: 2 }), {
      warn: (fields) => warnings.push(fields),
    });
    const entered = (id: string, team: string) => book.enter(container(id, team)).map(({ value }) => value);
    assert.deepEqual(entered("1", "a"), ["a"]);
    assert.deepEqual(entered("2", "b"), ["b"]);
    assert.deepEqual(entered("3", "a"), ["a"], "a known value is no further one");
    assert.deepEqual(entered("4", "c"), []);
    assert.deepEqual(entered("5", "d"), []);
    assert.equal(book.problems.get("too many values"), 2);
    assert.equal(warnings.length, 1);
    book.remove("2");
    book.remove("4");
    assert.deepEqual(entered("5", "d"), ["d"]);
    assert.equal(book.problems.get("too many values"), 0);
  });

  test("is told of on the page", async () => {
    const pages = pagesOf({ maxValuesPerLabel: 1 });
    pages.update(
      round([
        [container("1", "a"), measurement()],
        [container("2", "b"), measurement()],
      ]),
    );
    const page = (await pageOf(pages)).toString("utf8");
    assert.match(page, /^flyball_collector_label_problems\{reason="too many values"\} 1$/mu);
    assert.match(page, /container_last_seen\{id="\/docker\/1",[^}]*team="a"\}/u);
    assert.match(page, /container_last_seen\{id="\/docker\/2",image="shop\/web:1.4",name="shop-web-1"\}/u);
  });
});
