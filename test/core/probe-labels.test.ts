import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeLabels } from "../../core/labels.ts";

type Labels = Readonly<Record<string, string>>;
const decode = (labels: Labels) => decodeLabels(labels, {}, "web");
const probe = (labels: Labels) => {
  const { probe: read, diagnostics } = decode(labels);
  assert.deepEqual(diagnostics, []);
  return read;
};
const said = (labels: Labels) =>
  decode(labels).diagnostics.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);

describe("labels of probes", () => {
  test("a command is a line for the replica's shell", () => {
    assert.deepEqual(probe({ "probe.cmd": " pg_isready -q && test -e /ready " }), {
      kind: "cmd",
      command: ["/bin/sh", "-c", "pg_isready -q && test -e /ready"],
    });
    assert.deepEqual(said({ "probe.cmd": "  " }), [
      'error web.probe.cmd: expected a command, as "pg_isready -q", got "  "',
    ]);
  });

  test("its timing is in compose's words, and what is not said is left to the kind of probe", () => {
    const labels = {
      "probe.http": ":8080/healthz",
      "probe.interval": "5s",
      "probe.start_interval": "250ms",
      "probe.timeout": "1s",
      "probe.start_period": "1m",
      "probe.retries": "5",
      "probe.success_threshold": "2",
    };
    assert.deepEqual(probe(labels), {
      kind: "http",
      port: 8080,
      path: "/healthz",
      intervalMs: 5_000,
      startIntervalMs: 250,
      timeoutMs: 1_000,
      startPeriodMs: 60_000,
      retries: 5,
      successThreshold: 2,
    });
  });

  test("what cannot be used is named with what was expected and what came", () => {
    assert.deepEqual(
      said({ "probe.tcp": ":80", "probe.interval": "5", "probe.timeout": "1ms", "probe.retries": "none" }),
      [
        'error web.probe.interval: expected a duration, as "15s" or "5m", got "5"',
        'error web.probe.timeout: expected a duration from 50ms to 10m, got "1ms"',
        'error web.probe.retries: expected a whole number of at least 1, got "none"',
      ],
    );
  });

  test("one question is asked, and timing alone asks none", () => {
    assert.deepEqual(said({ "probe.http": "/", "probe.cmd": "true" }), [
      "error web.probe.cmd: excludes probe.http: keep one",
    ]);
    assert.equal(decode({ "probe.http": "/", "probe.cmd": "true" }).probe, undefined);
    assert.deepEqual(said({ "probe.timeout": "1s", "probe.liveness": "3" }), [
      "error web.probe.timeout: needs probe.http, probe.tcp or probe.cmd beside it",
      "error web.probe.liveness: needs probe.http, probe.tcp or probe.cmd beside it",
    ]);
    assert.deepEqual(
      said({ "probe.http": "health", "probe.liveness": "3" }),
      ['error web.probe.http: expected a path, as "/healthz" or ":8080/healthz", got "health"'],
      "what is wrong is said once",
    );
  });
});

describe("the vendor's labels of probes", () => {
  const EVERY_TWO_SECONDS = { intervalMs: 2_000, startIntervalMs: 2_000 };

  test("an address names the container by that word, its port or 80, and a path", () => {
    const urls = {
      "http://container:8080/healthz": { kind: "http", port: 8080, path: "/healthz" },
      "http://container/a?b=c": { kind: "http", port: 80, path: "/a?b=c" },
      "http://container": { kind: "http", port: 80, path: "/" },
      "tcp://container:6379": { kind: "tcp", port: 6379 },
    };
    for (const [url, expected] of Object.entries(urls))
      assert.deepEqual(probe({ "aliyun.probe.url": url }), { ...expected, ...EVERY_TWO_SECONDS });
  });

  test("another address is refused with the form that is expected", () => {
    const form = 'expected "http://container:8080/path" or "tcp://container:5432"';
    const refusals = {
      "http://localhost:8080/": `${form}, with the literal host container`,
      "https://container/": form,
      "tcp://container": form,
      "tcp://container:80/path": form,
      "http://container:0/": `${form}, with a port from 1 to 65535`,
      "container:80": form,
    };
    for (const [url, refusal] of Object.entries(refusals)) {
      assert.deepEqual(said({ "aliyun.probe.url": url }), [
        `error web.aliyun.probe.url: ${refusal}, got ${JSON.stringify(url)}`,
      ]);
    }
  });

  test("a command is its words, and a line that needs a shell is sent to the label that has one", () => {
    assert.deepEqual(probe({ "aliyun.probe.cmd": "curl -f 'http://localhost/a b'" }), {
      kind: "cmd",
      command: ["curl", "-f", "http://localhost/a b"],
      ...EVERY_TWO_SECONDS,
    });
    const expected = 'expected the words of one command, as "/check.sh --quick"';
    assert.deepEqual(said({ "aliyun.probe.cmd": "a | b" }), [
      `error web.aliyun.probe.cmd: ${expected}; what needs a shell is for probe.cmd, got "a | b"`,
    ]);
    assert.deepEqual(said({ "aliyun.probe.cmd": "a 'b" }), [
      `error web.aliyun.probe.cmd: ${expected}, with every quote closed, got "a 'b"`,
    ]);
    assert.deepEqual(said({ "aliyun.probe.cmd": "" }), [`error web.aliyun.probe.cmd: ${expected}, got ""`]);
  });

  test("the timeout and the delay after the start are seconds", () => {
    const labels = {
      "aliyun.probe.url": "tcp://container:80",
      "aliyun.probe.timeout_seconds": "3",
      "aliyun.probe.initial_delay_seconds": "20",
    };
    const { timeoutMs, initialDelayMs } = probe(labels) ?? {};
    assert.deepEqual({ timeoutMs, initialDelayMs }, { timeoutMs: 3_000, initialDelayMs: 20_000 });
    assert.deepEqual(said({ ...labels, "aliyun.probe.timeout_seconds": "3s" }), [
      'error web.aliyun.probe.timeout_seconds: expected a whole number of seconds from 1 to 86400, got "3s"',
    ]);
  });

  test("an address and a command exclude each other; with neither, the others are ignored with a warning", () => {
    assert.deepEqual(said({ "aliyun.probe.url": "tcp://container:80", "aliyun.probe.cmd": "true" }), [
      "error web.aliyun.probe.cmd: excludes aliyun.probe.url: keep one",
    ]);
    const ignored = "is ignored without aliyun.probe.url or aliyun.probe.cmd";
    const alone = { "aliyun.probe.timeout_seconds": "3", "aliyun.probe.initial_delay_seconds": "1" };
    assert.deepEqual(said(alone), [
      `warning web.aliyun.probe.timeout_seconds: ${ignored}`,
      `warning web.aliyun.probe.initial_delay_seconds: ${ignored}`,
    ]);
    assert.equal(decode(alone).probe, undefined);
    assert.deepEqual(said({ ...alone, "probe.tcp": ":80" }).length, 2);
  });

  test("our own timing refines the vendor's", () => {
    const { intervalMs, retries } =
      probe({ "aliyun.probe.cmd": "true", "probe.interval": "10s", "probe.retries": "1" }) ?? {};
    assert.deepEqual({ intervalMs, retries }, { intervalMs: 10_000, retries: 1 });
  });
});
