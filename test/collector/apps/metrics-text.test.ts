import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type MetricsText, parseMetricsText } from "../../../collector/apps/metrics-text.ts";

const parse = (text: string, maxSeries = 1_000) => parseMetricsText(text, maxSeries);

/** Each family as `type name: series=value …`. */
function told({ families }: MetricsText): string[] {
  return families.map(({ type, name, series }) => {
    const all = series.map((one) => {
      const labels = one.labels.map((label) => `${label.name}=${label.value}`).join();
      return `${one.name}${labels === "" ? "" : `{${labels}}`}=${one.value}`;
    });
    return `${type} ${name}: ${all.join(" ")}`;
  });
}

const PROMETHEUS = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
`;

const OPEN_METRICS = `# TYPE requests counter
# UNIT requests requests
# HELP requests All of them.
requests_total{path="/"} 8.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67
requests_created{path="/"} 1520430000.123
# TYPE build info
build_info{version="1.2"} 1
# TYPE temperature gauge
temperature NaN
# EOF
`;

describe("the text of an application's metrics", () => {
  test("is read as Prometheus writes it", () => {
    const parsed = parse(PROMETHEUS);
    assert.deepEqual(told(parsed), [
      "counter http_requests: http_requests_total{method=post,code=200}=1027 http_requests_total{method=post,code=400}=3",
      'unknown msdos_file_access_time_seconds: msdos_file_access_time_seconds{path=C:\\DIR\\FILE.TXT,error=Cannot find file:\n"FILE.TXT"}=1458255915',
      "unknown metric_without_timestamp_and_labels: metric_without_timestamp_and_labels=12.47",
      "unknown something_weird: something_weird{problem=division by zero}=Infinity",
      "histogram http_request_duration_seconds: http_request_duration_seconds_bucket{le=0.05}=24054 " +
        "http_request_duration_seconds_bucket{le=+Inf}=144320 http_request_duration_seconds_sum=53423 http_request_duration_seconds_count=144320",
      "summary rpc_duration_seconds: rpc_duration_seconds{quantile=0.01}=3102 rpc_duration_seconds_sum=17560473 rpc_duration_seconds_count=2693",
    ]);
    assert.equal(parsed.families[0]?.help, "The total number of HTTP requests.");
    assert.equal(parsed.badLines, 0);
  });

  test("is read as OpenMetrics writes it, without exemplars, times and creations", () => {
    const parsed = parse(OPEN_METRICS);
    assert.deepEqual(told(parsed), [
      "counter requests: requests_total{path=/}=8",
      "info build: build_info{version=1.2}=1",
      "gauge temperature: temperature=NaN",
    ]);
    assert.equal(parsed.families[0]?.help, "All of them.");
    assert.equal(parsed.badLines, 0);
  });

  test("loses a line that makes no sense, and no other", () => {
    const bad = [
      "9lives 1",
      "no_value",
      "no_number many",
      'unclosed{a="b" 1',
      "unquoted{a=b} 1",
      'twice{a="1",a="2"} 1',
      'endless{a="b} 1',
      "{} 1",
      "hex 0x10",
      "spaces 1 2 3",
      "<html>",
    ];
    const parsed = parse(["before 1", ...bad, "after 2"].join("\n"));
    assert.deepEqual(told(parsed), ["unknown before: before=1", "unknown after: after=2"]);
    assert.equal(parsed.badLines, bad.length);
  });

  test("has each series once, and a family's type is settled by its first sample", () => {
    const parsed = parse("a 1\na 2\n# TYPE a counter\na 3\n");
    assert.deepEqual(told(parsed), ["unknown a: a=1"]);
    assert.equal(parsed.badLines, 2);
  });

  test("keeps no more series than were asked for, and counts the rest", () => {
    const lines = Array.from({ length: 50 }, (_, index) => `many{n="${index}"} ${index}`).join("\r\n");
    const parsed = parse(lines, 10);
    assert.equal(parsed.families[0]?.series.length, 10);
    assert.equal(parsed.droppedSeries, 40);
  });
});
