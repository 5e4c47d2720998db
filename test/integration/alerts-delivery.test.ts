import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Mailbox, type Received, type SmtpStep, startMailbox } from "../alerts/mailbox.ts";

const PROGRAM = join(import.meta.dirname, "alerts-process.ts");

/** Of the transaction after which so many deliveries wait. */
type StoreStep = `${"begin" | "work" | "commit"} ${0 | 1}`;
/**
 * Every step of a delivery, in its order: what is to be said is written, said, and marked as said. Each life begins
 * where the one before was killed, and is killed one step further.
 */
const STEPS: readonly (StoreStep | SmtpStep)[] = [
  ...(["begin 1", "work 1", "commit 1"] as const),
  ...(["connect", "mail", "recipient", "data", "received", "answered"] as const),
  ...(["begin 0", "work 0", "commit 0"] as const),
];

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "flyball-alerts-"));
});
after(() => rm(root, { recursive: true, force: true }));

/** A daemon's alerts that see it burn or not, and everything else as the one before has left it. */
class Life implements AsyncDisposable {
  readonly dead: Promise<unknown>;
  readonly #child: ChildProcess;

  constructor(directory: string, mailbox: Mailbox, state: "burns" | "calm", death?: StoreStep) {
    const words = [directory, String(mailbox.port), state, ...(death?.split(" ") ?? [])];
    this.#child = fork(PROGRAM, words, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.dead = once(this.#child, "exit");
  }

  /** Resolves when it has written what is to be said, and then that it was. */
  async hasTold(): Promise<void> {
    for (const wanted of [1, 0]) {
      let [waiting] = await once(this.#child, "message");
      while (waiting !== wanted) [waiting] = await once(this.#child, "message");
    }
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.dead;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function isStoreStep(step: string): step is StoreStep {
  return /^(?:begin|work|commit) [01]$/u.test(step);
}

const isTagged = (tag: string) => (mail: Received) => mail.subject?.startsWith(tag) === true;

describe("a daemon that is killed between any two steps of telling", {
  concurrency: true,
  timeout: 300_000,
}, () => {
  for (const killed of ["burns", "calm"] as const) {
    const what = killed === "burns" ? "that something is wrong" : "that it is over";
    test(`${what} has told it in the end, under one name and in one thread`, async () => {
      let target: { life: Life; step: string } | undefined;
      await using mailbox = await startMailbox(async (step) => {
        if (step !== target?.step) return;
        const { life } = target;
        target = undefined;
        await life.kill();
      });
      const directory = join(root, killed);
      if (killed === "calm") {
        await using life = new Life(directory, mailbox, "burns");
        await life.hasTold();
      }
      for (const step of STEPS) {
        await using life = new Life(directory, mailbox, killed, isStoreStep(step) ? step : undefined);
        target = { life, step };
        await life.dead;
      }
      if (killed === "burns") {
        await using life = new Life(directory, mailbox, "calm");
        await life.hasTold();
      }

      const { mails } = mailbox;
      for (const tag of ["[FIRING", "[RESOLVED"]) {
        const ids = mails.filter(isTagged(tag)).map(({ messageId }) => messageId);
        assert.equal(new Set(ids).size, 1, `each delivery of ${tag} has the same name: ${ids}`);
      }
      const interrupted = mails.filter(isTagged(killed === "burns" ? "[FIRING" : "[RESOLVED"));
      // When the server has it and the daemon does not know, or cannot note it: then it is said again.
      assert.ok(interrupted.length >= 4, `${interrupted.length}`);
      assert.equal(new Set(mails.map(({ references }) => references)).size, 1, "one incident, one thread");
      const tags = mails.map(isTagged("[FIRING"));
      assert.ok(tags.lastIndexOf(true) < tags.indexOf(false), "the end is not told before the beginning");
    });
  }
});
