import assert from "node:assert/strict";
import { test } from "node:test";
import { logText } from "../../../../orchestrator/engines/docker/logs.ts";

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test("frames of both streams become text, a character cut by a frame included", () => {
  const [first = 0, second = 0] = Buffer.from("é");
  const cut = [Buffer.from([first]), Buffer.from([second])].map((half) => {
    const whole = frame(1, "x");
    half.copy(whole, 8);
    return whole;
  });
  assert.equal(logText(Buffer.concat([frame(1, "one\n"), frame(2, "two\n"), ...cut]), false), "one\ntwo\né");
});

test("a terminal's text is as it is, and a frame cut short gives what is there", () => {
  assert.equal(logText(Buffer.from("plain\r\n"), true), "plain\r\n");
  assert.equal(logText(frame(1, "whole").subarray(0, 11), false), "who");
  assert.equal(logText(Buffer.alloc(0), false), "");
});
