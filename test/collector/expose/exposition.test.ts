import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createExposition } from "../../../collector/expose/exposition.ts";
import { labelRules } from "../../../collector/expose/label-rules.ts";
import { HostReader } from "../../../collector/host/host-reader.ts";
import { systemClock } from "../../../core/clock.ts";
import { discovered, measurement, round } from "./readings.ts";

const OPTIONS = {
  listen: { host: "127.0.0.1", port: 0 },
  labels: labelRules(),
  version: "1.2.3",
  log: { warn: () => {} },
};

describe("the exposition", () => {
  test("offers the newest round, the machine and itself", async () => {
    using machine = new HostReader({ clock: systemClock });
    await using exposition = await createExposition({
      ...OPTIONS,
      engineVersion: () => "26.1.5",
      figures: () => ({ samples_total: 12 }),
    });
    assert.equal(await exposition.text(), undefined);
    const { host, port } = exposition.address;
    const page = async () => (await fetch(`http://${host}:${port}/metrics`)).text();
    assert.equal(await page(), "");
    for (const threads of [3, 4]) {
      exposition.update(
        round([[discovered(), measurement({ threads })]], { atMs: threads, host: () => machine.read() }),
      );
      const text = await page();
      assert.deepEqual(await exposition.text(), { text, atMs: threads });
      assert.match(text, new RegExp(`^container_threads\\{.*\\} ${threads}$`, "mu"));
      assert.match(text, /^machine_cpu_cores [1-9]\d*$/mu);
      assert.match(text, /^container_cpu_usage_seconds_total\{id="\/",cpu="total"\} [\d.]+$/mu);
      assert.match(text, /^flyball_collector_info\{version="1\.2\.3",.*engine_version="26\.1\.5"\} 1$/mu);
      assert.match(text, /^flyball_collector_samples_total 12$/mu);
      for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"]) {
        assert.match(text, new RegExp(`^${name} [1-9\\d.]+$`, "mu"));
      }
    }
  });

  test("reads the machine only when somebody asks", async () => {
    using machine = new HostReader({ clock: systemClock });
    await using exposition = await createExposition(OPTIONS);
    let reads = 0;
    const host = () => {
      reads += 1;
      return machine.read();
    };
    for (const atMs of [1, 2, 3]) exposition.update(round([], { atMs, host }));
    assert.equal(reads, 0);
    await Promise.all([exposition.text(), exposition.text()]);
    assert.equal(reads, 1);
  });
});
