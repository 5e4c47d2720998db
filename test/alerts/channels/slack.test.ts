import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DeliveryFailed } from "../../../alerts/channels/channel.ts";
import { slackChannel, slackPayload } from "../../../alerts/channels/slack.ts";
import { NOW_MS, notification, notified } from "../builders.ts";
import { type SlackAnswer, startSlack } from "../slack-double.ts";

const patience = () => AbortSignal.timeout(5_000);
const channel = (url: string) => slackChannel({ name: "chat", url, nowMs: () => NOW_MS });

async function failureOn(answer: SlackAnswer): Promise<DeliveryFailed> {
  await using slack = await startSlack(() => answer);
  try {
    await channel(slack.url).send(notification(), patience());
  } catch (error) {
    assert.ok(error instanceof DeliveryFailed, `${error}`);
    assert.doesNotMatch(error.message, /XXXX|T00000000/u);
    return error;
  }
  return assert.fail("was delivered");
}

describe("a message to Slack", () => {
  test("says what is wrong, since when and what to do, with a colour at its side", () => {
    assert.deepEqual(slackPayload(notification({ lost: 1 })), {
      text: "ServiceDown: shop: 1 firing",
      attachments: [
        {
          color: "#e01e5a",
          blocks: [
            {
              type: "header",
              text: { type: "plain_text", text: "ServiceDown: shop: 1 firing", emoji: false },
            },
            {
              type: "section",
              text: {
                type: "mrkdwn",
                text: [
                  "*critical* shop\u200b_web has no ready replica; 2 should be",
                  "_since 2026-11-21 11:58:55 UTC (1m5s)_",
                  "See why: flyball ps shop\u200b_web",
                ].join("\n"),
              },
            },
            {
              type: "context",
              elements: [
                {
                  type: "mrkdwn",
                  text: "1 earlier notification could not be delivered here and was given up",
                },
              ],
            },
          ],
        },
      ],
    });
    const over = notified({ status: "resolved", endsAtMs: NOW_MS });
    const resolved = slackPayload(
      notification({ status: "resolved", firing: 0, resolved: 1, alerts: [over] }),
    );
    assert.equal(resolved.attachments[0]?.color, "#2eb67d");
  });

  test("is taken by Slack, whatever services are called and however many alerts there are", async () => {
    await using slack = await startSlack();
    const word = fc.oneof(
      fc.string({ unit: "binary", maxLength: 4_000 }),
      fc.constantFrom(
        "<!channel>",
        "a&b<c>*d*_e_`f`~g~",
        "&".repeat(5_000),
        "<".repeat(5_000),
        "😀".repeat(2_000),
      ),
    );
    await fc.assert(
      fc.asyncProperty(word, fc.integer({ min: 1, max: 100 }), async (name, count) => {
        const alerts = Array.from({ length: count }, () => notified({ summary: name, advice: name }));
        const groupLabels = { alertname: "ServiceDown", project: name };
        await channel(slack.url).send(
          notification({ alerts, firing: count, groupLabels, lost: 2 }),
          patience(),
        );
      }),
      { numRuns: 60 },
    );
    assert.ok(slack.messages.length >= 60);
  });

  test("calls nobody who is named like a mention", () => {
    const text = JSON.stringify(
      slackPayload(notification({ alerts: [notified({ summary: "<!channel> <@U123>" })] })),
    );
    assert.match(text, /&lt;!channel&gt; &lt;@U123&gt;/u);
  });
});

describe("Slack", () => {
  test("that wants less is heard: 429 says how long to wait", async () => {
    const failed = await failureOn({ status: 429, body: "rate_limited", headers: { "retry-after": "30" } });
    assert.deepEqual([failed.isPermanent, failed.retryAfterMs], [false, 30_000]);
  });

  test("that has trouble of its own is asked again", async () => {
    for (const status of [500, 502, 503, 504]) {
      assert.equal((await failureOn({ status, body: "rollup_error" })).isPermanent, false, `${status}`);
    }
  });

  test("that refuses the message is not asked again, and its reason is told without the address", async () => {
    for (const [status, body] of [
      [400, "invalid_payload"],
      [403, "action_prohibited"],
      [404, "no_service for /services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"],
      [410, "channel_is_archived"],
      [302, "elsewhere"],
    ] as const) {
      const failed = await failureOn({ status, body, headers: { location: "http://127.0.0.1:1/" } });
      assert.equal(failed.isPermanent, true, `${status}`);
      assert.match(failed.message, new RegExp(`answers ${status}: ${body.split(" ")[0]}`, "u"));
    }
  });

  test("that is not there is asked again, and its address is told to nobody", async () => {
    const sending = channel("http://127.0.0.1:1/services/T00000000/XXXX").send(notification(), patience());
    await assert.rejects(sending, (error) => {
      assert.ok(error instanceof DeliveryFailed);
      assert.doesNotMatch(error.message, /XXXX|T00000000/u);
      return !error.isPermanent;
    });
  });
});
