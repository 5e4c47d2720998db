import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { inflateSync } from "node:zlib";
import { DeliveryFailed } from "../../../alerts/channels/channel.ts";
import { type EmailOptions, emailChannel } from "../../../alerts/channels/email.ts";
import { NOW_MS, notification, notified } from "../builders.ts";
import { type Mailbox, refusal, startMailbox } from "../mailbox.ts";

const patience = () => AbortSignal.timeout(5_000);

function channel(port: number, overrides: Partial<EmailOptions> = {}) {
  return emailChannel({
    name: "mail",
    host: "127.0.0.1",
    port,
    tls: "none",
    from: "Flyball <flyball@example.org>",
    to: ["ops@example.org"],
    externalUrl: "http://host.example:7070",
    ...overrides,
  });
}

async function received(mailbox: Mailbox, said: Parameters<ReturnType<typeof channel>["send"]>[0]) {
  await channel(mailbox.port).send(said, patience());
  return mailbox.mails.at(-1) ?? assert.fail("no mail came");
}

async function failure(sending: Promise<void>): Promise<DeliveryFailed> {
  try {
    await sending;
  } catch (error) {
    assert.ok(error instanceof DeliveryFailed, `${error}`);
    return error;
  }
  return assert.fail("was delivered");
}

const points = Array.from({ length: 60 }, (_, index) => ({
  atMs: NOW_MS - (60 - index) * 60_000,
  value: index / 60,
}));
const chart = { title: "CPU of shop_web", points, threshold: 0.7, unit: "ratio" as const };

describe("a mail", () => {
  test("says what is wrong, since when and what to do, as text and as HTML", async () => {
    await using mailbox = await startMailbox();
    const mail = await received(mailbox, notification());
    assert.equal(mail.subject, "[FIRING:1] ServiceDown: shop");
    assert.deepEqual(
      [mail.from?.address, mail.to?.map(({ address }) => address)],
      ["flyball@example.org", ["ops@example.org"]],
    );
    assert.equal(
      mail.text?.trim(),
      [
        "1 firing",
        "",
        "CRITICAL shop_web has no ready replica; 2 should be",
        "  since 2026-11-21 11:58:55 UTC (1m5s)",
        "  See why: flyball ps shop_web",
        "",
        "-- ",
        "Flyball at http://host.example:7070",
      ].join("\n"),
    );
    assert.match(
      mail.html ?? "",
      /<b style="color:#b91c1c">critical<\/b> shop_web has no ready replica; 2 should be/u,
    );
    const header = (key: string) => mail.headers.find((one) => one.key === key)?.value;
    assert.equal(header("auto-submitted"), "auto-generated");
    assert.equal(header("list-id"), "Flyball alerts <host.example>");
    assert.equal(header("x-flyball-notification"), "x-1");
  });

  test("stands in one thread with the others of its incident, and says in its identifier which one it is", async () => {
    await using mailbox = await startMailbox();
    const first = await received(mailbox, notification());
    const over = notified({ status: "resolved", endsAtMs: NOW_MS });
    const last = await received(
      mailbox,
      notification({
        id: "x-2",
        status: "resolved",
        reason: "resolved",
        firing: 0,
        resolved: 1,
        alerts: [over],
      }),
    );
    const other = await received(
      mailbox,
      notification({ id: "y-1", incident: { id: "y", openedAtMs: NOW_MS } }),
    );
    assert.equal(last.subject, "[RESOLVED] ServiceDown: shop");
    assert.match(last.text ?? "", /from 2026-11-21 11:58:55 UTC to 2026-11-21 12:00:00 UTC \(1m5s\)/u);
    assert.deepEqual(
      [first, last, other].map(({ messageId, inReplyTo, references }) => [messageId, inReplyTo, references]),
      [
        ["<x-1@host.example>", "<x.incident@host.example>", "<x.incident@host.example>"],
        ["<x-2@host.example>", "<x.incident@host.example>", "<x.incident@host.example>"],
        ["<y-1@host.example>", "<y.incident@host.example>", "<y.incident@host.example>"],
      ],
    );
  });

  test("shows the metric in a small picture of its own, and says it in words", async () => {
    await using mailbox = await startMailbox();
    const mail = await received(mailbox, notification({ chart }));
    const [picture] = mail.attachments;
    assert.deepEqual(
      [picture?.mimeType, picture?.contentId, picture?.disposition],
      ["image/png", "<chart@flyball>", "inline"],
    );
    assert.match(mail.html ?? "", /<img src="cid:chart@flyball" width="560" height="120"/u);
    assert.match(
      mail.text ?? "",
      /CPU of shop_web: 98 % at the end, 98 % at most, threshold 70 %; 2026-11-21 11:00:00 UTC to/u,
    );
    const bytes = Buffer.from(picture?.content as ArrayBuffer);
    assert.equal(bytes.subarray(1, 4).toString(), "PNG");
    const at = bytes.indexOf("IDAT");
    const rows = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
    assert.equal(rows.length, 240 * 1_121);
  });

  test("cannot be given headers, recipients or markup by what services are called", async () => {
    await using mailbox = await startMailbox();
    const evil = 'web"><script>alert(1)</script>\r\nBcc: everybody@example.org\r\n\r\n<b>hello\u202e';
    const mail = await received(
      mailbox,
      notification({
        groupLabels: { alertname: "ServiceDown", project: evil },
        alerts: [notified({ summary: evil, advice: evil, labels: { project: evil } })],
        chart: { ...chart, title: evil },
      }),
    );
    assert.equal(
      mail.subject,
      '[FIRING:1] ServiceDown: web"><script>alert(1)</script> Bcc: everybody@example.org <b>hello',
    );
    assert.equal(mail.bcc, undefined);
    assert.equal(mail.headers.filter(({ key }) => key === "bcc").length, 0);
    assert.equal(mailbox.mails.length, 1);
    assert.doesNotMatch(mail.html ?? "", /<script|<b>hello|\u202e/u);
    assert.match(
      mail.html ?? "",
      /&lt;script&gt;alert\(1\)&lt;\/script&gt; Bcc: everybody@example\.org &lt;b&gt;hello/u,
    );
    // Not a line of the text begins what the name wanted to begin.
    assert.doesNotMatch(mail.text ?? "", /^Bcc:/mu);
  });

  test("lists some of many, says how many more there are, and what was lost before", async () => {
    await using mailbox = await startMailbox();
    const alerts = Array.from({ length: 100 }, (_, index) =>
      notified({ fingerprint: `${index}`, summary: `number ${index}.` }),
    );
    const mail = await received(
      mailbox,
      notification({ alerts, firing: 10_000, truncatedAlerts: 9_900, lost: 3 }),
    );
    assert.equal(mail.subject, "[FIRING:10000] ServiceDown: shop");
    assert.match(
      mail.text ?? "",
      /number 24\.[\s\S]*and 9975 more: flyball alerts ls\n\n3 earlier notifications could not be delivered here and were given up/u,
    );
    assert.doesNotMatch(mail.text ?? "", /number 25\./u);
  });
});

describe("a mail server", () => {
  test("that refuses for now is worth another attempt, and one that refuses for good is not", async () => {
    for (const [code, isPermanent] of [
      [451, false],
      [421, false],
      [550, true],
    ] as const) {
      await using mailbox = await startMailbox((step) => {
        if (step === "received") throw refusal(code, "no");
      });
      const failed = await failure(channel(mailbox.port).send(notification(), patience()));
      assert.equal(failed.isPermanent, isPermanent, `${code}: ${failed.message}`);
    }
  });

  test("that refuses every recipient for now is worth another attempt", async () => {
    await using mailbox = await startMailbox((step) => {
      if (step === "recipient") throw refusal(450, "greylisted");
    });
    const failed = await failure(channel(mailbox.port).send(notification(), patience()));
    assert.deepEqual([failed.isPermanent, /greylisted/u.test(failed.message)], [false, true]);
  });

  test("that takes some recipients now is asked again for the others alone", async () => {
    let isGrey = true;
    const asked: string[] = [];
    await using mailbox = await startMailbox((step, value) => {
      if (step === "recipient") asked.push(value);
      if (step === "recipient" && value === "new@example.org" && isGrey)
        throw refusal(450, "come back later");
    });
    const mail = channel(mailbox.port, { to: ["ops@example.org", "new@example.org"] });
    const failed = await failure(mail.send(notification(), patience()));
    assert.equal(failed.isPermanent, false);
    assert.match(failed.message, /1 of 2 recipients refused: .*come back later/u);
    isGrey = false;
    await mail.send(notification(), patience());
    assert.deepEqual(asked, ["ops@example.org", "new@example.org", "new@example.org"]);
    assert.equal(mailbox.mails.length, 2);
  });

  test("that is not there, or says nothing, does not hold anybody up for ever", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    try {
      const hung = await failure(channel(port).send(notification(), AbortSignal.timeout(300)));
      assert.equal(hung.isPermanent, false);
    } finally {
      silent.close();
    }
    const refused = await failure(channel(port).send(notification(), patience()));
    assert.match(refused.message, /ECONNREFUSED/u);
    assert.equal(refused.isPermanent, false);
  });

  test("that wants another password is asked again, and the password is told to nobody else", async () => {
    await using mailbox = await startMailbox(undefined, {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, done) =>
        done(password === "right" ? null : new Error(`${password} is wrong`), { user: "flyball" }),
    });
    const wrong = channel(mailbox.port, { user: "flyball", password: "wrong-Secret1" });
    const failed = await failure(wrong.send(notification(), patience()));
    assert.deepEqual([failed.isPermanent, failed.message.includes("wrong-Secret1")], [false, false]);
    assert.match(failed.message, /535/u);
    await channel(mailbox.port, { user: "flyball", password: "right" }).send(notification(), patience());
    assert.equal(mailbox.mails.length, 1);
  });

  test("that offers no TLS is sent no password, unless the settings say so", async () => {
    let isAsked = false;
    await using mailbox = await startMailbox(undefined, {
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => {
        isAsked = true;
        done(null, { user: "flyball" });
      },
    });
    const mail = channel(mailbox.port, { user: "flyball", password: "secret", tls: "starttls" });
    const failed = await failure(mail.send(notification(), patience()));
    assert.deepEqual([isAsked, mailbox.mails.length], [false, 0]);
    assert.match(failed.message, /STARTTLS/u);
  });
});
