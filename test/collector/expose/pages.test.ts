import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { FAMILIES } from "../../../collector/expose/families.ts";
import { HostReader } from "../../../collector/host/host-reader.ts";
import { systemClock } from "../../../core/clock.ts";
import {
  discovered,
  ID,
  measurement,
  pageOf,
  pagesOf,
  recordedMeasurement,
  round,
  seriesOf,
} from "./readings.ts";

const golden = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const text = (page: Buffer) => page.toString("utf8");

describe("a page of metrics", () => {
  const labels = { "business.team": "checkout", "com.docker.compose.service": "web", other: "hidden" };

  for (const [format, file] of [
    ["prometheus", "golden-page.prom"],
    ["openmetrics", "golden-page.om"],
  ] as const) {
    test(`of a recorded container is written in ${format} as it was before`, async () => {
      const pages = pagesOf();
      pages.update(round([[discovered({ labels }), recordedMeasurement()]]));
      assert.equal(text(await pageOf(pages, format)), golden(file));
    });
  }

  test("shows all values of the recorded container but those that it has not", async () => {
    const pages = pagesOf();
    pages.update(round([[discovered(), recordedMeasurement()]]));
    const page = text(await pageOf(pages));
    const missing = FAMILIES.filter(
      ({ name }) => name.startsWith("container_") && !page.includes(`\n# TYPE ${name} `),
    );
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });

  test("changes only in its values from one tick to the next", async () => {
    const pages = pagesOf();
    const container = discovered();
    const shown = async (cpuUsageSeconds: number, atMs: number) => {
      pages.update(round([[container, measurement({ cpuUsageSeconds, threads: 3 })]], { atMs }));
      return seriesOf(await pageOf(pages)).filter((line) => /cpu_usage|threads\{|last_seen/u.test(line));
    };
    const own = `id="/docker/${ID}",image="shop/web:1.4",name="shop-web-1"`;
    for (const [seconds, atMs, seen] of [
      [1.25, 1_000, "1"],
      [123456.789, 2_500, "2.5"],
      [7, 1_700_000_000_000, "1700000000"],
      [0, 1_700_000_000_001, "1700000000.001"],
      [1e21, 3_000, "3"],
      [9_007_199_254_740_991, 4_000, "4"],
      [1e-7, 5_000, "5"],
    ] as const) {
      assert.deepEqual(await shown(seconds, atMs), [
        `container_last_seen{${own}} ${seen}`,
        `container_cpu_usage_seconds_total{${own},cpu="total"} ${seconds}`,
        `container_threads{${own}} 3`,
      ]);
    }
  });

  test("follows devices and interfaces that come, change places and go", async () => {
    const pages = pagesOf();
    const container = discovered();
    const device = (name: string, readBytes: number | undefined) => ({
      name,
      readBytes,
      writeBytes: undefined,
      reads: undefined,
      writes: undefined,
    });
    const shown = async (...devices: ReturnType<typeof device>[]) => {
      pages.update(round([[container, measurement({ devices })]], { atMs: pages.atMs ?? 1 }));
      return seriesOf(await pageOf(pages)).flatMap(
        (line) => /reads_bytes.*device="(.*)"\} (.*)/u.exec(line)?.slice(1).join(" ") ?? [],
      );
    };
    assert.deepEqual(await shown(), []);
    assert.deepEqual(await shown(device("a", 1)), ["a 1"]);
    assert.deepEqual(await shown(device("a", 2), device("b", 3)), ["a 2", "b 3"]);
    assert.deepEqual(await shown(device("b", 4), device("a", 5)), ["b 4", "a 5"]);
    assert.deepEqual(await shown(device("b", undefined), device("a", 6)), ["a 6"]);
    assert.deepEqual(await shown(device("b", 7)), ["b 7"]);
    assert.deepEqual(await shown(), []);
  });

  test("holds the series of a family together, whatever containers there are", async () => {
    const pages = pagesOf();
    const containers = [1, 2, 3].map((number) => discovered({ id: `c${number}`, name: `web-${number}` }));
    pages.update(round(containers.map((container) => [container, recordedMeasurement()])));
    const names = text(await pageOf(pages))
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.slice(0, line.search(/[{ ]/u)));
    const runs = names.filter((name, index) => name !== names[index - 1]);
    assert.equal(new Set(runs).size, runs.length);
    assert.equal(names.filter((name) => name === "container_threads").length, 3);
  });

  test("leaves out what was not read and what is not known any more", async () => {
    const pages = pagesOf();
    const [first, second] = [discovered({ id: "a" }), discovered({ id: "b" })];
    const shownIds = async () => [
      ...new Set(seriesOf(await pageOf(pages)).map((line) => /id="([^"]*)"/u.exec(line)?.[1])),
    ];
    pages.update(
      round([
        [first, measurement({ threads: 1 })],
        [second, measurement({ threads: 1 })],
      ]),
    );
    assert.deepEqual(await shownIds(), ["/docker/a", "/docker/b"]);
    pages.update(round([[first], [second, measurement({ threads: 1 })]]));
    assert.deepEqual(await shownIds(), ["/docker/b"]);
    assert.match(text(await pageOf(pages)), /^flyball_collector_containers_missing 1$/mu);
    assert.match(text(await pageOf(pages)), /^container_scrape_error 1$/mu);
    pages.update({
      ...round([
        [first, measurement()],
        [second, measurement()],
      ]),
      containers: new Map([["a", first]]),
    });
    assert.deepEqual(await shownIds(), ["/docker/a"]);
  });

  test("shows a container under its new labels when it is another, and goes on with the same text when not", async () => {
    const pages = pagesOf();
    const shown = async (overrides: Parameters<typeof discovered>[0]) => {
      pages.update(round([[discovered(overrides), measurement({ threads: 1 })]]));
      return seriesOf(await pageOf(pages)).find((line) => line.startsWith("container_threads"));
    };
    assert.match((await shown({})) ?? "", /name="shop-web-1"\} 1$/u);
    assert.match((await shown({ health: "unhealthy" })) ?? "", /name="shop-web-1"\} 1$/u);
    assert.match((await shown({ name: "renamed" })) ?? "", /name="renamed"\} 1$/u);
  });

  test("calls a process a process, and never shows one without values as 0", async () => {
    const pages = pagesOf();
    const { image: _, ...process_ } = discovered({ kind: "process", id: "web-1" });
    pages.update(round([[process_, measurement({ memoryUsageBytes: 5 })]]));
    const lines = seriesOf(await pageOf(pages));
    assert.ok(lines.includes('container_memory_usage_bytes{id="/flyball/web-1",name="shop-web-1"} 5'));
    assert.deepEqual(
      lines.filter((line) => /cpu_usage|working_set|network|pressure|fs_/u.test(line)),
      [],
    );
  });

  test("says without a limit that there is none", async () => {
    const pages = pagesOf();
    const details = { memoryLimitBytes: Infinity, cpuQuotaMicroseconds: Infinity, threadsMax: Infinity };
    pages.update(round([[discovered(), measurement({ details, cpuThrottledSeconds: 0, cpuPeriods: 0 })]]));
    const lines = seriesOf(await pageOf(pages)).map((line) => line.replace(/\{.*\}/u, ""));
    assert.ok(lines.includes("container_spec_memory_limit_bytes 0"));
    assert.ok(lines.includes("container_threads_max 0"));
    assert.deepEqual(
      lines.filter((line) => /cfs|quota|limit_ratio/u.test(line)),
      [],
    );
  });

  test("is the same for all that ask within a tick, and compressed once", async () => {
    const pages = pagesOf();
    pages.update(round([[discovered(), measurement({ threads: 1 })]]));
    const [first, second] = await Promise.all([pages.gzipped("openmetrics"), pages.gzipped("openmetrics")]);
    assert.equal(first, second);
    assert.equal(text(gunzipSync(first)), text(await pageOf(pages, "openmetrics")));
    const before = await pageOf(pages);
    assert.deepEqual(before, await pageOf(pages));
    pages.update(round([[discovered(), measurement({ threads: 2 })]]));
    assert.notDeepEqual(await pageOf(pages), before);
  });

  test("is of one round, though another comes while it is written", async () => {
    const pages = pagesOf();
    const containers = Array.from({ length: 3_000 }, (_, index) => discovered({ id: `c${index}` }));
    const show = (threads: number) => {
      pages.update(round(containers.map((container) => [container, measurement({ threads })])));
    };
    show(1);
    const first = pages.write("prometheus");
    show(2);
    using writing = await first;
    show(3);
    const second = pageOf(pages, "openmetrics");
    const pieces: Buffer[] = [];
    for (const piece of writing.pieces()) {
      pieces.push(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    writing[Symbol.dispose]();
    const threadsIn = (page: Buffer) => [
      ...new Set(seriesOf(page).flatMap((line) => /^container_threads\{.* (\d+)$/u.exec(line)?.[1] ?? [])),
    ];
    assert.ok(pieces.length > 1);
    const page = Buffer.concat(pieces);
    assert.equal(page.length, writing.length);
    assert.deepEqual([threadsIn(page).length, threadsIn(await second)], [1, ["3"]]);
  });

  test("is not written to while it is given out, and its buffers are used again afterwards", async () => {
    const pages = pagesOf();
    const piecesOf = async (threads: number) => {
      pages.update(round([[discovered(), measurement({ threads })]]));
      using writing = await pages.write("prometheus");
      return { pieces: [...writing.pieces()], give: writing.give };
    };
    const { pieces, give } = await piecesOf(1);
    const first = pieces.map((piece) => piece.toString("utf8"));
    await piecesOf(2);
    assert.deepEqual(
      pieces.map((piece) => piece.toString("utf8")),
      first,
    );
    const buffers = pieces.map((piece) => piece.buffer);
    for (const piece of pieces) give(piece);
    const { pieces: later } = await piecesOf(3);
    assert.ok(later.some((piece) => buffers.includes(piece.buffer)));
  });

  test("is written in slices, between which others have their turn", async () => {
    const pages = pagesOf();
    const containers = Array.from({ length: 5_000 }, (_, index) => discovered({ id: `c${index}` }));
    const recorded = recordedMeasurement();
    pages.update(round(containers.map((container) => [container, recorded])));
    let turns = 0;
    const count = setInterval(() => {
      turns += 1;
    }, 1);
    const zipped = await pages.gzipped("prometheus");
    clearInterval(count);
    assert.ok(turns > 10, `${turns} turns`);
    assert.ok(zipped.length > 0);
  });

  test("is empty before the first round", async () => {
    assert.equal(text(await pageOf(pagesOf())), "");
    assert.equal(text(await pageOf(pagesOf(), "openmetrics")), "# EOF\n");
  });
});

/** Names that the field knows, and that promtool would have otherwise. */
const KNOWN_LINT = [
  /^cadvisor_version_info label names should be written in 'snake_case'/u,
  /^container_fs_inodes_total non-counter metrics should not have/u,
  /^container_memory_failcnt counter metrics should have/u,
  /^node_memory_\w+ metric names should be written in 'snake_case'/u,
];

const promtool = spawnSync("promtool", ["--version"]).status === 0;

describe("promtool", { skip: !promtool && "needs promtool (Debian's package prometheus)" }, () => {
  for (const [what, value] of [
    ["of a recorded container", "plain"],
    ["with any characters in its labels", 'newline\nquote"backslash\\emoji🎉\u0000end'],
  ] as const) {
    test(`finds nothing in a page ${what} but names that the field knows`, async () => {
      const pages = pagesOf();
      using machine = new HostReader({ clock: systemClock });
      const containers = ["a", "b"].map((id) =>
        discovered({ id, name: `web-${id}`, labels: { "business.team": value } }),
      );
      pages.update(
        round(
          containers.map((container) => [container, recordedMeasurement()]),
          { host: () => machine.read() },
        ),
      );
      const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
        input: await pageOf(pages),
        encoding: "utf8",
      });
      const complaints = `${stdout}${stderr}`.split("\n").filter(Boolean);
      assert.deepEqual(
        complaints.filter((line) => !KNOWN_LINT.some((known) => known.test(line))),
        [],
      );
      // 3: it could be read, and has lint.
      assert.equal(status, 3);
    });
  }
});
