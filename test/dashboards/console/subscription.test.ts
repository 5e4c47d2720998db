import assert from "node:assert/strict";
import { test } from "node:test";
import { BEARER_PROTOCOL, clientFrameSchema, STREAM_PROTOCOL, TOPICS } from "../../../core/wire-stream.ts";
import {
  BEARER,
  bearerProtocol,
  PROTOCOL,
  subscription,
} from "../../../dashboards/console/page/link/subscription.ts";

const hello = (seq: number) => ({ type: "hello", epoch: "now", seq, heartbeatMs: 15_000 }) as const;

test("the page names the protocol as the daemon does, and its token so that any may be said", () => {
  assert.equal(PROTOCOL, STREAM_PROTOCOL);
  assert.equal(BEARER, BEARER_PROTOCOL);
  const token = "fb_ü/+=?~ token";
  const protocol = bearerProtocol(token);
  assert.match(protocol, /^bearer\.[\w-]+$/);
  assert.equal(Buffer.from(protocol.slice(BEARER.length), "base64url").toString(), token);
});

test("the page goes on from the last event that it saw, and of another run asks for what is kept", () => {
  assert.deepEqual(subscription(hello(500), { epoch: "now", seq: 70 }).since, { epoch: "now", seq: 70 });
  assert.deepEqual(subscription(hello(500), { epoch: "before", seq: 70 }).since, { epoch: "now", seq: 0 });
  assert.deepEqual(subscription(hello(5_000), undefined).since, { epoch: "now", seq: 3_000 });
  assert.deepEqual(clientFrameSchema.parse(subscription(hello(0), undefined)).topics, TOPICS);
});
