import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { editDistance, nearest } from "../../core/nearest.ts";

describe("nearest", () => {
  const words = ["listen", "token", "engine", "logLevel"];

  test("names the word with a letter missing, added, changed or swapped", () => {
    assert.equal(nearest("listn", words), "listen");
    assert.equal(nearest("tokens", words), "token");
    assert.equal(nearest("enqine", words), "engine");
    assert.equal(nearest("logLeevl", words), "logLevel");
  });

  test("names nothing when more than a third of the letters differ", () => {
    assert.equal(nearest("network", words), undefined);
    assert.equal(nearest("", ["engine"]), undefined);
    assert.equal(nearest("engine", []), undefined);
  });

  test("allows one letter to differ in even the shortest word", () => {
    assert.equal(nearest("ab", ["ac"]), "ac");
  });

  test("prefers the nearer of two, and the first of two as near", () => {
    assert.equal(nearest("maxcpu", ["min_cpu", "max_cpu"]), "max_cpu");
    assert.equal(nearest("mix", ["min", "max"]), "min");
  });
});

describe("edit distance", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ];
  for (const [a, b, distance] of cases) {
    test(`from "${a}" to "${b}" is ${distance}`, () => assert.equal(editDistance(a, b), distance));
  }
});
