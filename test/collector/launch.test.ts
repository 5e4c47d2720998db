import assert from "node:assert/strict";
import { test } from "node:test";
import { collectorCommand } from "../../collector/launch.ts";
import { readArguments } from "../../collector/settings.ts";

test("the receiver of remote write reaches the collector, and no command line", () => {
  const remoteWrite = { url: "https://me:hunter2@metrics.example/api/v1/write", token: "sesame-sesame" };
  const settings = { intervalMs: 1_000, root: "/", labels: {}, remoteWrite };
  const { words, environment } = collectorCommand({ kind: "agent", settings }, undefined);
  assert.doesNotMatch(words.join(" "), /hunter2|sesame/);
  const main = words.findIndex((word) => word.endsWith("main.ts"));
  assert.deepEqual(readArguments(words.slice(main + 1), environment), {
    kind: "agent",
    settings,
    cached: false,
  });
});
