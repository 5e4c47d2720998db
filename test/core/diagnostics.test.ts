import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Diagnostic, Diagnostics, formatDiagnostic, placeOf } from "../../core/diagnostics.ts";
import { FlyballError } from "../../core/errors.ts";

describe("diagnostics", () => {
  test("keep every problem in the order of its report", () => {
    const diagnostics = new Diagnostics();
    diagnostics.error({ path: "a" }, "first");
    diagnostics.warning({ path: "b" }, "second");
    diagnostics.addAll([{ severity: "error", path: "c", message: "third" }]);
    assert.deepEqual(
      diagnostics.all.map(({ severity, message }) => [severity, message]),
      [
        ["error", "first"],
        ["warning", "second"],
        ["error", "third"],
      ],
    );
    assert.deepEqual(
      diagnostics.errors.map(({ path }) => path),
      ["a", "c"],
    );
  });

  test("throw one error that lists all errors and no warning", () => {
    const diagnostics = new Diagnostics();
    diagnostics.warning({ path: "x" }, "only a warning");
    diagnostics.throwIfErrors("COMPOSE_INVALID", "must not be thrown");
    diagnostics.error(
      { path: "services.web.image", file: "compose.yaml", line: 12, column: 7 },
      "expected text",
    );
    diagnostics.error({ path: "services.db" }, "expected a mapping");
    assert.throws(
      () => diagnostics.throwIfErrors("COMPOSE_INVALID", "the compose files have errors"),
      (error) => {
        assert.ok(error instanceof FlyballError);
        assert.equal(error.code, "COMPOSE_INVALID");
        assert.equal(error.message, "the compose files have errors");
        assert.deepEqual(error.problems, [
          { at: "compose.yaml:12:7 services.web.image", message: "expected text" },
          { at: "services.db", message: "expected a mapping" },
        ]);
        return true;
      },
    );
  });

  test("take as many problems at once as a huge file has", () => {
    const diagnostics = new Diagnostics();
    const problem: Diagnostic = { severity: "warning", path: "x", message: "again" };
    diagnostics.addAll(Array.from({ length: 300_000 }, () => problem));
    assert.equal(diagnostics.all.length, 300_000);
  });
});

describe("a place", () => {
  test("says what is known of it", () => {
    assert.equal(placeOf({ path: "services.web" }), "services.web");
    assert.equal(placeOf({ path: "", file: "compose.yaml" }), "compose.yaml");
    assert.equal(placeOf({ path: "a.b", file: "compose.yaml", line: 3 }), "compose.yaml:3 a.b");
  });

  test("stands before the message on a terminal", () => {
    const diagnostic: Diagnostic = {
      severity: "warning",
      path: "a",
      file: "f.yaml",
      line: 1,
      message: "why",
    };
    assert.equal(formatDiagnostic(diagnostic), "warning: f.yaml:1 a: why");
  });
});
