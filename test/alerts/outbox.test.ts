import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Outbox } from "../../alerts/outbox.ts";
import { MOST_WAITING } from "../../alerts/queue.ts";
import { TABLES } from "../../alerts/tables.ts";
import type { Notification } from "../../core/alert.ts";
import { Store } from "../../core/store.ts";
import { NOW_MS, notification, notified } from "./builders.ts";

const root = mkdtempSync(join(tmpdir(), "flyball-outbox-"));
after(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

function newStore(): { directory: string; open(): Store } {
  made += 1;
  const directory = join(root, `data-${made}`);
  return {
    directory,
    open() {
      const store = new Store(directory);
      store.migrate(TABLES);
      return store;
    },
  };
}

function written(store: Store, outbox: Outbox): void {
  store.transaction(() => outbox.write());
  outbox.written();
}

describe("the outbox", () => {
  test("has what was written when it is opened again, under the same id, and not what was sent", () => {
    const { open } = newStore();
    const [first, second] = [
      notification({ id: "one-1" }),
      notification({ id: "two-1", incident: { id: "two", openedAtMs: 0 } }),
    ];
    {
      using store = open();
      const outbox = new Outbox(store, ["mail"], NOW_MS);
      outbox.post([first, second], NOW_MS);
      written(store, outbox);
      const delivery = outbox.next("mail") ?? assert.fail();
      outbox.sent("mail", delivery, outbox.take("mail", delivery), NOW_MS);
      written(store, outbox);
    }
    using store = open();
    const outbox = new Outbox(store, ["mail"], NOW_MS);
    assert.equal(outbox.next("mail")?.notification.id, "two-1");
    assert.deepEqual(outbox.facts, [{ name: "mail", waiting: 1, lost: 0 }]);
  });

  test("has nothing of a transaction that failed, and writes it with the next one", () => {
    const { open } = newStore();
    using store = open();
    const outbox = new Outbox(store, ["mail"], NOW_MS);
    outbox.post([notification()], NOW_MS);
    assert.throws(() =>
      store.transaction(() => {
        outbox.write();
        throw new Error("the disk is full");
      }),
    );
    assert.equal(new Outbox(store, ["mail"], NOW_MS).next("mail"), undefined);
    assert.ok(outbox.isUnwritten);
    assert.ok(outbox.next("mail") !== undefined, "it is sent from memory");
    written(store, outbox);
    assert.ok(new Outbox(store, ["mail"], NOW_MS).next("mail") !== undefined);
  });

  test("keeps one channel's trouble from another", () => {
    using store = newStore().open();
    const outbox = new Outbox(store, ["mail", "chat"], NOW_MS);
    outbox.post([notification(), notification({ channel: "chat" })], NOW_MS);
    const delivery = outbox.next("mail") ?? assert.fail();
    outbox.take("mail", delivery);
    outbox.failed("mail", delivery, "refused", NOW_MS, NOW_MS + 60_000);
    assert.equal(outbox.next("mail")?.nextAtMs, NOW_MS + 60_000);
    assert.equal(outbox.next("chat")?.nextAtMs, NOW_MS);
    assert.deepEqual(outbox.facts, [
      { name: "mail", waiting: 1, lost: 0, failingSinceMs: NOW_MS, trouble: "refused" },
      { name: "chat", waiting: 1, lost: 0 },
    ]);
  });

  test("says of an incident that waits how it stands, once, and leaves alone what is being sent", () => {
    using store = newStore().open();
    const outbox = new Outbox(store, ["mail"], NOW_MS);
    const gone = notified({ fingerprint: "b", status: "resolved", endsAtMs: NOW_MS });
    outbox.post([notification({ id: "x-1" })], NOW_MS);
    const sending = outbox.next("mail") ?? assert.fail();
    outbox.take("mail", sending);
    outbox.post(
      [notification({ id: "x-2", reason: "changed", alerts: [notified(), gone], resolved: 1 })],
      NOW_MS,
    );
    outbox.post([notification({ id: "x-3", reason: "changed" })], NOW_MS);
    assert.equal(outbox.next("mail")?.notification.id, "x-1", "the beginning first");
    outbox.sent("mail", sending, sending.notification, NOW_MS);
    const last = outbox.next("mail")?.notification ?? assert.fail();
    assert.deepEqual(
      [last.id, last.resolved, last.alerts.map(({ status }) => status)],
      ["x-3", 1, ["firing", "resolved"]],
    );
    assert.equal(outbox.facts[0]?.waiting, 1);
  });

  test("gives up the least severe and the oldest when it is full, counts them, and has that said with the next one", () => {
    const { open } = newStore();
    const severe = notified({ severity: "critical" });
    const of = (index: number, alerts: Notification["alerts"]) =>
      notification({ id: `i${index}-1`, incident: { id: `i${index}`, openedAtMs: 0 }, alerts });
    {
      using store = open();
      const outbox = new Outbox(store, ["mail"], NOW_MS);
      for (let index = 0; index < MOST_WAITING + 10; index += 1) {
        outbox.post([of(index, index < 3 ? [severe] : [notified({ severity: "info" })])], NOW_MS);
      }
      assert.deepEqual(outbox.facts, [{ name: "mail", waiting: MOST_WAITING, lost: 10 }]);
      assert.equal(outbox.next("mail")?.notification.id, "i0-1", "the severe ones are still there");
      written(store, outbox);
    }
    using store = open();
    const outbox = new Outbox(store, ["mail"], NOW_MS);
    const delivery = outbox.next("mail") ?? assert.fail();
    const said = outbox.take("mail", delivery);
    assert.equal(said.lost, 10);
    outbox.sent("mail", delivery, said, NOW_MS);
    assert.equal(outbox.facts[0]?.lost, 0);
    assert.equal(outbox.take("mail", outbox.next("mail") ?? assert.fail()).lost, undefined);
  });

  test("gives up what waits for a channel that is no more", () => {
    const { open } = newStore();
    {
      using store = open();
      const outbox = new Outbox(store, ["mail"], NOW_MS);
      outbox.post([notification()], NOW_MS);
      written(store, outbox);
    }
    using store = open();
    const outbox = new Outbox(store, ["chat"], NOW_MS);
    written(store, outbox);
    assert.deepEqual(
      store.all("SELECT channel, state FROM alert_deliveries").map((row) => ({ ...row })),
      [{ channel: "mail", state: "dead" }],
    );
  });

  test("drops what ended a week ago, and never what waits", () => {
    using store = newStore().open();
    const outbox = new Outbox(store, ["mail"], NOW_MS);
    outbox.post(
      [notification({ id: "a-1" }), notification({ id: "b-1", incident: { id: "b", openedAtMs: 0 } })],
      NOW_MS,
    );
    const delivery = outbox.next("mail") ?? assert.fail();
    outbox.sent("mail", delivery, delivery.notification, NOW_MS);
    written(store, outbox);
    outbox.prune(NOW_MS + 8 * 86_400_000);
    const states = store.all("SELECT notification, state FROM alert_deliveries").map((row) => ({ ...row }));
    assert.deepEqual(states, [{ notification: "b-1", state: "waiting" }]);
  });
});
