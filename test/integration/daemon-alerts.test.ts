import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import type { Notification } from "../../core/alert.ts";
import type { AlertView } from "../../core/wire-alerts.ts";
import { serverFrameSchema } from "../../core/wire-stream.ts";
import { startMailbox } from "../alerts/mailbox.ts";
import { startSlack } from "../alerts/slack-double.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

test("mail, chat and stream are told what is wrong and when it is over, and of what is silenced nobody is", async (t) => {
  await using mailbox = await startMailbox();
  await using slack = await startSlack();
  const config = configuration(t, mailbox.port, slack.url);
  const house = await FlyballHouse.open(t, undefined, { FLYBALL_CONFIG: config });
  const file = house.compose(`  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    labels: { alert.replicas: "< 2 for 0s keep 0s critical" }
  api:
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    labels: { alert.replicas: "> 1 for 0s keep 0s" }
`);
  await house.serve();
  assert.match(await house.must("alerts", "test", "ops"), /^ops: delivered in /u);
  using stream = await listen(house.address);
  await house.must("up", "-d", "-f", file);

  const about = (service: string) => (text: string | undefined) =>
    text?.includes(house.serviceId(service)) === true;
  const mails = (service: string) =>
    mailbox.mails.filter(({ subject }) => subject?.includes("ServiceReplicas") && about(service)(subject));
  await eventually("a mail says that one is too few", () => mails("web").length === 1);
  await eventually("so does the chat", () => slack.messages.some((one) => about("web")(String(one.text))));
  const isFiring = ({ state, labels }: AlertView) =>
    state === "firing" && labels["service"] === house.serviceId("web");
  assert.ok((await house.client.alerts(10)).alerts.some(isFiring));
  assert.match(await house.must("alerts"), /firing +critical +ServiceReplicas .* yes /u);

  await house.must("alerts", "silence", `service=${house.serviceId("api")}`, "--for", "1h", "--by", "ann");
  await house.must("scale", "web=2", "api=2");
  await eventually("a mail says that it is over", () => mails("web").length === 2);
  await eventually("the other is known, and nobody is told", async () =>
    (await house.client.alerts(10)).alerts.some(({ suppressedBy }) => suppressedBy?.startsWith("silence ")),
  );

  assert.deepEqual(
    mails("web").map(({ subject }) => subject?.split(" ")[0]),
    ["[FIRING:1]", "[RESOLVED]"],
  );
  assert.equal(new Set(mails("web").map(({ references }) => references)).size, 1);
  assert.deepEqual(mails("api"), []);
  // A machine that is busy may be told of as well.
  const streamed = () =>
    stream.told.filter(({ groupLabels }) => groupLabels["alertname"] === "ServiceReplicas");
  await eventually("the stream has told both", () => streamed().length >= 2);
  assert.deepEqual(
    streamed().map(({ status, groupLabels }) => [status, groupLabels["service"]]),
    [
      ["firing", house.serviceId("web")],
      ["resolved", house.serviceId("web")],
    ],
  );
  assert.doesNotMatch(house.output, /XXXXXXXX/u);
  await house.must("down", "-f", file);
  await house.untilHas(0);
  assert.equal(await house.stop(), 0);
  await house.assertNothingLeft();
});

/** A file that names both channels, the secret one by a file of its own. */
function configuration(t: Pick<TestContext, "after">, port: number, slackUrl: string): string {
  const directory = mkdtempSync(join(tmpdir(), "flyball-alerts-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const urlFile = join(directory, "slack-url");
  writeFileSync(urlFile, slackUrl);
  const mail = { kind: "email", host: "127.0.0.1", port, tls: "none", from: "flyball@example.org" };
  const channels = { ops: { ...mail, to: "ops@example.org" }, chat: { kind: "slack", urlFile } };
  const path = join(directory, "flyball.yaml");
  writeFileSync(path, JSON.stringify({ alerts: { groupBy: ["alertname", "service"], channels } }));
  return path;
}

async function listen(address: string) {
  const socket = new WebSocket(`ws${address.slice("http".length)}/v1/stream`, "flyball.v1");
  const told: Notification[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on("error", reject);
  socket.on("message", (data) => {
    const frame = serverFrameSchema.parse(JSON.parse(String(data)));
    if (frame.type === "hello") socket.send(JSON.stringify({ type: "subscribe", topics: ["alerts"] }));
    else if (frame.type === "subscribed") resolve();
    else if (frame.type === "event") told.push(frame.data as Notification);
  });
  await promise;
  return { told, [Symbol.dispose]: () => socket.terminate() };
}
