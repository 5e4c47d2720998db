import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readAnswer } from "../../../scaler/prometheus/answer.ts";

const success = (data: unknown) => readAnswer(200, JSON.stringify({ status: "success", data }));
const vector = (...result: unknown[]) => success({ resultType: "vector", result });
const series = (value: unknown, labels: Record<string, string> = {}) => ({ metric: labels, value });

function told(outcome: ReturnType<typeof readAnswer>): string {
  return "trouble" in outcome
    ? `${outcome.trouble.kind}: ${outcome.trouble.message}`
    : assert.fail(`was read: ${outcome.value}`);
}

describe("the answer to a query", () => {
  test("is the value of a scalar or of an only series, as Prometheus writes numbers", () => {
    assert.deepEqual(success({ resultType: "scalar", result: [1.5, "42"] }), { value: 42 });
    for (const [text, value] of [
      ["0", 0],
      ["-0.25", -0.25],
      ["1e+06", 1e6],
      ["+3.5e-07", 3.5e-7],
    ] as const) {
      assert.deepEqual(vector(series([1435781451.781, text])), { value });
    }
  });

  test("that Prometheus gives with warnings is an answer", () => {
    const body = {
      status: "success",
      data: { resultType: "scalar", result: [1, "2"] },
      warnings: ["w"],
      infos: ["i"],
    };
    assert.deepEqual(readAnswer(200, JSON.stringify(body)), { value: 2 });
  });

  test("of several series is refused with how many, and with what to do", () => {
    assert.equal(
      told(vector(...Array.from({ length: 17 }, (_, n) => series([1, "1"], { pod: String(n) })))),
      "several: the expression gives 17 series: aggregate it to one, as with sum(…), max(…) or avg(…)",
    );
  });

  test("of no series is no zero", () => {
    assert.equal(told(vector()), "empty: the expression gives no series");
  });

  for (const text of ["NaN", "+Inf", "-Inf"]) {
    test(`of ${text} is no number`, () => {
      assert.equal(told(vector(series([1, text]))), `not a number: the expression gives ${text}`);
      assert.match(told(success({ resultType: "scalar", result: [1, text] })), /^not a number: /);
    });
  }

  test("of another type is refused with what would be of the right one", () => {
    assert.match(
      told(success({ resultType: "string", result: [1, "5"] })),
      /^type: the expression gives text/,
    );
    assert.match(told(success({ resultType: "matrix", result: [] })), /^type: .* a range: .* rate\(…\)/);
    assert.match(
      told(vector({ metric: {}, histogram: [1, { count: "1" }] })),
      /^type: .*histogram_quantile\(…\)$/,
    );
  });

  test("to a wrong expression is Prometheus' own words, on one line and not too many", () => {
    const body = {
      status: "error",
      errorType: "bad_data",
      error: 'parse error:\n\u001b[31munclosed "(" \u2028',
    };
    assert.equal(
      told(readAnswer(400, JSON.stringify(body))),
      'refused: Prometheus refuses the expression: parse error: [31munclosed "("',
    );
    const long = { status: "error", errorType: "execution", error: "x".repeat(100_000) };
    assert.ok(told(readAnswer(422, JSON.stringify(long))).length < 400);
  });

  test("of a server that could not is not blamed on the expression", () => {
    const body = (errorType: string) => JSON.stringify({ status: "error", errorType, error: "too busy" });
    assert.equal(told(readAnswer(503, body("timeout"))), "timeout: Prometheus answered 503: too busy");
    assert.equal(told(readAnswer(500, body("internal"))), "http: Prometheus answered 500: too busy");
  });

  test("with an error's status says it, with advice", () => {
    assert.equal(told(readAnswer(502, "<html>Bad Gateway</html>")), "http: Prometheus answered 502");
    assert.match(told(readAnswer(401, "")), /^http: Prometheus answered 401: look at the token/);
    assert.match(told(readAnswer(403, "no")), /403: look at the token/);
    assert.match(told(readAnswer(404, "")), /404: is the path/);
    assert.match(told(readAnswer(302, "")), /302, a redirect, which is not followed/);
    assert.match(told(readAnswer(500, '{"status":"success"}')), /^http: /);
  });

  for (const body of [
    "",
    "<html>welcome</html>",
    "42",
    "null",
    "[]",
    "{}",
    '{"status":"success"}',
    '{"status":"success","data":{}}',
    '{"status":"success","data":{"resultType":"vector","result":{}}}',
    '{"status":"success","data":{"resultType":"tensor","result":[]}}',
    '{"status":"success","data":{"resultType":"vector","result":[null]}}',
    '{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}',
    '{"status":"success","data":{"resultType":"vector","result":[{"value":[1,2]}]}}',
    '{"status":"success","data":{"resultType":"scalar","result":[1]}}',
    '{"status":"success","data":{"resultType":"scalar","result":[1,""]}}',
    '{"status":"success","data":{"resultType":"scalar","result":[1,"0x10"]}}',
    '{"status":"success","data":{"resultType":"scalar","result":[1,"1e999"]}}',
  ]) {
    test(`that is not Prometheus', as ${body || "nothing"}, is told as it came`, () => {
      assert.match(told(readAnswer(200, body)), /^format: expected /);
    });
  }

  test("is a finite number or a trouble, whatever came", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, text) => {
        const outcome = readAnswer(status, text);
        if ("value" in outcome) assert.ok(Number.isFinite(outcome.value));
        else assert.doesNotMatch(outcome.trouble.message, /\p{Cc}/u);
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom("scalar", "vector"), fc.jsonValue(), (resultType, result) => {
        const outcome = success({ resultType, result });
        assert.ok("trouble" in outcome || Number.isFinite(outcome.value));
      }),
    );
  });
});
