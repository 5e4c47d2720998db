import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCommand } from "../lab/command.ts";
import { prometheusPrograms, skipWithoutPrometheus } from "../lab/prometheus.ts";

const ROOT = join(import.meta.dirname, "../..");
const RULES = join(ROOT, "dashboards/rules");
const PROMTOOL = "/usr/bin/promtool";

async function promtool(...words: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await runCommand(PROMTOOL, words);
  assert.equal(exitCode, 0, `${stdout}${stderr}`);
}

describe("the rules for Prometheus", { skip: skipWithoutPrometheus(prometheusPrograms()) }, () => {
  test("are rules", async () => {
    await promtool("check", "rules", join(RULES, "alerts.yml"), join(RULES, "recording.yml"));
  });

  test("tell of what they are for, and of nothing else", async () => {
    await promtool("test", "rules", join(import.meta.dirname, "rules.test.yml"));
  });

  test("are found by the configuration of the example", async () => {
    const directory = mkdtempSync(join(tmpdir(), "flyball-stack-"));
    try {
      cpSync(join(ROOT, "examples/stack/prometheus.yml"), join(directory, "prometheus.yml"));
      for (const name of ["alerts.yml", "recording.yml"]) {
        cpSync(join(RULES, name), join(directory, "rules", name));
      }
      await promtool("check", "config", join(directory, "prometheus.yml"));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
