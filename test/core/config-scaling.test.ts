import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { loadConfig } from "../../core/config.ts";
import { isFlyballError } from "../../core/errors.ts";

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), "flyball-config-scaling-"));
});
after(() => rmSync(directory, { recursive: true, force: true }));

function load(text: string, environment: Record<string, string> = {}) {
  const path = join(directory, "flyball.yaml");
  writeFileSync(path, text);
  return loadConfig({}, environment, path);
}

/** Every problem as one line, without the directory of this test. */
function problemsOf(text: string, environment: Record<string, string> = {}): string[] {
  try {
    load(text, environment);
  } catch (error) {
    assert.ok(isFlyballError(error));
    return error.problems.map(({ at, message }) => `${at.replace(`${directory}/`, "")}: ${message}`);
  }
  return [];
}

describe("the Prometheus server of the configuration", () => {
  test("is a URL, or a URL with who asks", () => {
    assert.equal(load("").prometheus, undefined);
    assert.deepEqual(load("prometheus: http://prometheus:9090").prometheus, {
      url: "http://prometheus:9090",
    });
    assert.deepEqual(
      load("prometheus:\n  url: https://mimir.example/prometheus\n  tokenFile: /run/secrets/token")
        .prometheus,
      { url: "https://mimir.example/prometheus", tokenFile: "/run/secrets/token" },
    );
    assert.deepEqual(
      load("prometheus: { url: 'https://p.example', username: shop, passwordFile: /run/secrets/p }")
        .prometheus,
      { url: "https://p.example", username: "shop", passwordFile: "/run/secrets/p" },
    );
  });

  test("and its secrets may come from variables", () => {
    assert.deepEqual(load("prometheus: http://p:9090", { FLYBALL_PROMETHEUS_TOKEN: "secret" }).prometheus, {
      url: "http://p:9090",
      token: "secret",
    });
    const environment = {
      FLYBALL_PROMETHEUS_URL: "http://other:9090",
      FLYBALL_PROMETHEUS_USERNAME: "shop",
      FLYBALL_PROMETHEUS_PASSWORD: "secret",
    };
    assert.deepEqual(load("prometheus: http://p:9090", environment).prometheus, {
      url: "http://other:9090",
      username: "shop",
      password: "secret",
    });
  });

  const refused: [string, Record<string, string>, RegExp][] = [
    ["prometheus: prometheus:9090", {}, /^flyball\.yaml prometheus\.url: expected an http or https URL/],
    ["prometheus: ftp://p", {}, /expected an http or https URL/],
    ["prometheus: http://shop:hunter22@p:9090", {}, /expected a URL without a user, a query or a fragment$/],
    ["prometheus: 'http://p:9090/graph?g0.expr=up'", {}, /expected a URL without a user/],
    ["prometheus: [http://p:9090]", {}, /^flyball\.yaml prometheus: /],
    ["prometheus: { ulr: 'http://p:9090' }", {}, /prometheus\.ulr: is not a setting: did you mean url\?$/],
    ["prometheus: { token: hunter22 }", {}, /^prometheus\.token: is of no use without prometheus\.url$/],
    [
      "prometheus: { url: 'http://p', token: hunter22, tokenFile: /t }",
      {},
      /^prometheus\.tokenFile: excludes prometheus\.token: keep one$/,
    ],
    [
      "prometheus: { url: 'http://p', username: shop }",
      {},
      /^prometheus\.username: needs prometheus\.password or prometheus\.passwordFile beside it$/,
    ],
    [
      "prometheus: { url: 'http://p', password: hunter22 }",
      {},
      /^prometheus\.password: needs prometheus\.username beside it$/,
    ],
    [
      "prometheus: { url: 'http://p', username: shop, password: hunter22 }",
      { FLYBALL_PROMETHEUS_TOKEN: "hunter23" },
      /^prometheus\.username: excludes a bearer token: keep one of the two$/,
    ],
    ["prometheus: { url: 'http://p', username: 'a:b', password: hunter22 }", {}, /a name without a colon/],
    ["prometheus: { url: 'http://p', token: 12345678 }", {}, /^flyball\.yaml prometheus\.token: /],
  ];
  for (const [text, environment, expected] of refused) {
    test(`is refused as ${text}${Object.keys(environment).join()}, and no secret is repeated`, () => {
      const problems = problemsOf(text, environment);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
      assert.doesNotMatch(problems.join(), /hunter2|1234/);
    });
  }
});

describe("the defaults for labels of the configuration", () => {
  test("are values as labels have them, and a bare number of YAML is one", () => {
    assert.equal(load("").autoscale, undefined);
    assert.deepEqual(
      load('autoscale: { max: 20, min: "2", max_cpu: 70%, dry_run: true, predict: on }').autoscale,
      { max: "20", min: "2", max_cpu: "70%", dry_run: "true", predict: "on" },
    );
  });

  test("are refused as labels are, all at once, with what was meant", () => {
    assert.deepEqual(
      problemsOf("autoscale:\n  max: none\n  mim: 2\n  schedule: 0 0 30 2 * = 4\nlogLevel: loud").map(
        (line) => line.replace(/Invalid option.*/, ""),
      ),
      ["flyball.yaml logLevel: "],
      "a file that is no configuration is told of first",
    );
    assert.deepEqual(problemsOf("autoscale:\n  max: none\n  mim: 2\n  schedule: 0 0 30 2 * = 4"), [
      "flyball.yaml autoscale.mim: is not a label of Flyball: did you mean autoscale.min?",
      'flyball.yaml autoscale.max: expected a whole number of at least 1, got "none"',
      'flyball.yaml autoscale.schedule: "0 0 30 2 *" never comes, got "0 0 30 2 * = 4"',
    ]);
    assert.match(problemsOf("autoscale: { max: [1, 2] }").join(), /autoscale\.max: expected one value/);
    assert.match(problemsOf("autoscale: 20").join(), /^flyball\.yaml autoscale: .*, got 20$/);
  });
});

describe("the first run of a service that was never scaled before", () => {
  test("is live unless it is said to be a shadow", () => {
    assert.equal(load("").scaler.firstRun, "live");
    assert.equal(load("scaler: { firstRun: shadow }").scaler.firstRun, "shadow");
    assert.match(problemsOf("scaler: { firstRun: maybe }").join(), /scaler\.firstRun: /);
    assert.match(
      problemsOf("scaler: { firstrun: live }").join(),
      /scaler\.firstrun: .* did you mean firstRun/,
    );
  });
});
