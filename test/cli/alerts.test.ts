import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AlertView, SilenceView } from "../../core/wire-alerts.ts";
import { NOW_MS } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

const down: AlertView = {
  id: "5290d953ed03546d",
  state: "firing",
  severity: "critical",
  labels: { alertname: "ServiceDown", service: "shop_web" },
  summary: "shop_web has no ready replica; 2 should be",
  advice: "flyball ps shop_web",
  pendingAtMs: NOW_MS - 90_000,
  firingAtMs: NOW_MS - 30_000,
};
const over: AlertView = { ...down, id: "aa00", state: "resolved", resolvedAtMs: NOW_MS - 10_000 };
const known: AlertView = {
  ...down,
  id: "5291ffff",
  severity: "warning",
  labels: { alertname: "OutOfMemory" },
  missingSinceMs: NOW_MS,
  acknowledged: { by: "ann", comment: "", atMs: NOW_MS },
};
const channel = {
  name: "mail",
  kind: "email" as const,
  waiting: 2,
  lost: 1,
  failingSinceMs: NOW_MS,
  trouble: "refused",
};
const silence: SilenceView = {
  id: "s-1",
  state: "active",
  matchers: [{ name: "service", value: "shop_web", isEqual: true, isRegex: false }],
  startsAtMs: NOW_MS,
  endsAtMs: NOW_MS + 7_200_000,
  createdAtMs: NOW_MS,
  author: "ann",
  comment: "new disk",
  alerts: 1,
};

describe("flyball alerts", () => {
  test("ls shows what is wrong, who knows, what was, and a channel that cannot tell", async () => {
    const body = { alerts: [down, known, over], channels: [channel] };
    await using daemon = await startRecordedDaemon({ "GET /v1/alerts?limit=50": { body } });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const { printed } = await flyball(["alerts", "ls"], invocation);
    const lines = printed.split("\n").map((line) => line.split(/ {2,}/u));
    assert.deepEqual(lines[0], ["ID", "STATE", "SEVERITY", "ALERT", "SINCE", "TOLD", "WHAT"]);
    assert.deepEqual(
      lines.slice(1, 4).map(([id, state, , name, , told]) => [id, state, name, told]),
      [
        ["5290d953", "firing", "ServiceDown", "yes"],
        ["5291ffff", "firing, no data", "OutOfMemory", "known to ann"],
        ["aa00", "resolved", "ServiceDown", "yes"],
      ],
    );
    assert.match(lines[1]?.[4] ?? "", /, 30s$/u);
    assert.match(printed, /\nmail cannot deliver since .*: refused; 2 waiting, 1 given up$/u);
    assert.deepEqual(JSON.parse((await flyball(["alerts", "--json"], invocation)).printed), body);
  });

  test("ack takes the beginning of an id, and names who says so", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/alerts?limit=1000": { body: { alerts: [down, known, over], channels: [] } },
      "POST /v1/alerts/5290d953ed03546d/ack": { body: down },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address, USER: "ann" } };
    const { printed } = await flyball(["alerts", "ack", "5290", "--comment", "on it"], invocation);
    assert.equal(printed, "known: shop_web has no ready replica; 2 should be");
    assert.deepEqual(daemon.heard.at(-1)?.body, { by: "ann", comment: "on it" });
    assert.match(
      (await flyball(["alerts", "ack", "529"], invocation)).noted,
      /expected more of the id: 5290d953ed03546d, 5291ffff/u,
    );
    assert.match(
      (await flyball(["alerts", "ack", "aa00"], invocation)).noted,
      /no alert aa00 is pending or firing/u,
    );
  });

  test("silence says what of, until when, who and why; silences lists them; unsilence ends one", async () => {
    await using daemon = await startRecordedDaemon({
      "POST /v1/silences": { status: 201, body: silence },
      "GET /v1/silences": { body: { silences: [{ ...silence, state: "expired", id: "s-0" }, silence] } },
      "DELETE /v1/silences/s-1": { body: { ...silence, state: "expired" } },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const words = [
      "service=shop_web",
      "severity!=critical",
      "--for",
      "2h",
      "--by",
      "ann",
      "--comment",
      "new disk",
    ];
    const { printed } = await flyball(["alerts", "silence", ...words], invocation);
    assert.match(printed, /^s-1: silent until /u);
    assert.deepEqual(daemon.heard.at(-1)?.body, {
      matchers: [
        { name: "service", value: "shop_web", isEqual: true, isRegex: false },
        { name: "severity", value: "critical", isEqual: false, isRegex: false },
      ],
      endsAtMs: NOW_MS + 7_200_000,
      author: "ann",
      comment: "new disk",
    });
    const listed = (await flyball(["alerts", "silences"], invocation)).printed.split("\n");
    assert.deepEqual(
      listed.map((line) => line.split(/ {2,}/u).slice(0, 3)),
      [
        ["ID", "STATE", "MATCHES"],
        ["s-1", "active", 'service="shop_web"'],
        ["s-0", "expired", 'service="shop_web"'],
      ],
    );
    assert.equal((await flyball(["alerts", "unsilence", "s-1"], invocation)).printed, "s-1: ended");
    assert.match(
      (await flyball(["alerts", "silence", "shop_web", "--for", "2h"], invocation)).noted,
      /expected a matcher/u,
    );
    assert.match((await flyball(["alerts", "silence", "service=a"], invocation)).noted, /--for/u);
  });

  test("test ends well when the channel delivers, and says why when it does not", async () => {
    const failed = {
      channel: "chat",
      delivered: false,
      tookMs: 5,
      problem: "the receiver answers 404: no_service",
    };
    await using daemon = await startRecordedDaemon({
      "POST /v1/channels/mail/test": { body: { channel: "mail", delivered: true, tookMs: 240 } },
      "POST /v1/channels/chat/test": { body: failed },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    assert.equal((await flyball(["alerts", "test", "mail"], invocation)).printed, "mail: delivered in 240ms");
    const { status, noted } = await flyball(["alerts", "test", "chat"], invocation);
    assert.equal(status, 11);
    assert.match(noted, /DELIVERY_FAILED: chat: the receiver answers 404: no_service/u);
  });
});
