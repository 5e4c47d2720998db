import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { jsonLines } from "../../../../orchestrator/engines/docker/json-lines.ts";

test("values are read whole wherever the stream is cut, inside a character too", async () => {
  const text = Buffer.from('{"a":"é"}\r\n\n{"b":2}\n{"c":3}');
  for (let cut = 0; cut <= text.length; cut += 1) {
    const values = await Array.fromAsync(
      jsonLines(Readable.from([text.subarray(0, cut), text.subarray(cut)])),
    );
    assert.deepEqual(values, [{ a: "é" }, { b: 2 }, { c: 3 }], `cut at ${cut}`);
  }
});

test("a line that is no JSON is an error, after what came before it", async () => {
  const seen: unknown[] = [];
  await assert.rejects(async () => {
    for await (const value of jsonLines(Readable.from(['{"a":1}\nnonsense\n']))) seen.push(value);
  }, SyntaxError);
  assert.deepEqual(seen, [{ a: 1 }]);
});
