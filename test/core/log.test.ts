import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLog, type Log, type LogLevel } from "../../core/log.ts";

/** A log and the lines it wrote. */
function capture(level: LogLevel = "info"): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog(level, { write: (line) => lines.push(line) }), lines };
}

describe("the log", () => {
  test("writes one JSON object a line, with level, time and message", () => {
    const { log, lines } = capture();
    log.info({ service: "shop_web" }, "scaled out");
    assert.equal(lines.length, 1);
    const entry = JSON.parse(lines[0] ?? "");
    assert.deepEqual([entry.service, entry.msg, entry.level], ["shop_web", "scaled out", 30]);
    assert.equal(new Date(entry.time).toISOString(), entry.time);
    assert.deepEqual(Object.keys(entry).sort(), ["level", "msg", "service", "time"]);
  });

  test("says nothing below its level, and nothing at all when it is silent", () => {
    const warn = capture("warn");
    warn.log.info("quiet");
    warn.log.error("loud");
    assert.equal(warn.lines.length, 1);
    const silent = capture("silent");
    silent.log.fatal("nothing");
    assert.deepEqual(silent.lines, []);
  });
});

describe("a secret never reaches a log line", () => {
  const secret = "hunter2-hunter2";
  const environment = { PASSWORD: secret };
  const service = { name: "web", template: { environment, image: "shop/web" } };
  const objects: [string, object][] = [
    ["a token", { token: secret }],
    ["a request's header", { request: { headers: { authorization: `Bearer ${secret}` } } }],
    ["a request's header, as some write it", { request: { headers: { Authorization: `Bearer ${secret}` } } }],
    ["a template", { template: { environment } }],
    ["a service", { service }],
    ["a list of services", { services: [service] }],
    ["a project", { project: { name: "shop", services: [service] } }],
    ["a list of projects", { state: { projects: [{ services: [service] }] } }],
    ["an engine's answer", { answer: { Config: { Env: [`PASSWORD=${secret}`] } } }],
    [
      "an engine's list of answers",
      { answers: [{ inspected: { Config: { Env: [`PASSWORD=${secret}`] } } }] },
    ],
  ];
  for (const [name, object] of objects) {
    test(`in ${name}`, () => {
      const { log, lines } = capture();
      log.info(object, "seen");
      log.child(object).info("seen by a child");
      assert.equal(lines.length, 2);
      for (const line of lines) {
        assert.ok(!line.includes(secret), line);
        assert.ok(line.includes("[redacted]"), line);
      }
    });
  }

  test("in what an error carries", () => {
    const { log, lines } = capture();
    log.error({
      err: Object.assign(new Error("refused"), { request: { headers: { authorization: secret } } }),
    });
    assert.ok(lines[0]?.includes("refused"));
    assert.ok(!lines[0]?.includes(secret));
  });

  test("and the object that was logged keeps it", () => {
    const { log } = capture();
    const logged = { project: { services: [structuredClone(service)] } };
    log.info(logged);
    assert.deepEqual(logged.project.services[0]?.template.environment, environment);
  });

  test("and everything else of the object does", () => {
    const { log, lines } = capture();
    log.info({ services: [service] });
    assert.ok(lines[0]?.includes("shop/web"));
  });
});
