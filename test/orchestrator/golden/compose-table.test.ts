import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { renderProjectAnswer } from "../../../cli/render.ts";
import { Store } from "../../../core/store.ts";
import type { Plan } from "../../../core/types.ts";
import { projectAnswer } from "../../../orchestrator/project-answer.ts";
import { type Policy, Stage } from "./stage.ts";

const FILE = join(import.meta.dirname, "compose-table.txt");
const GIVEN = /^(was|desired|did|policy): +(.*)$/u;

const directory = mkdtempSync(join(tmpdir(), "flyball-golden-"));
after(() => rmSync(directory, { recursive: true }));

/** The story as it stands in the file, its outcome written anew. */
function told(story: string): string {
  const lines = story.split("\n");
  const given = lines.flatMap((line) => {
    const [, key = "", value = ""] = GIVEN.exec(line) ?? [];
    return key === "" ? [] : [[key, value] as const];
  });
  const last = lines.findLastIndex((line) => GIVEN.test(line));
  const all = (key: string) => given.filter(([name]) => name === key).map(([, value]) => value);
  const policies = (all("policy")[0] ?? "adopt").split(", ") as readonly Policy[];
  const outcomes = policies.flatMap((policy, index) => {
    using store = new Store(mkdtempSync(join(directory, "story-")));
    const [desired = "1", ...limits] = (all("desired")[0] ?? "1").split(", ");
    const isSingle = limits.includes("one at most");
    const stage = new Stage(store, policy, Number(desired), (all("was")[0] ?? "").split("; "), isSingle);
    for (const step of all("did").flatMap((text) => text.split("; "))) stage.act(step);
    const meanwhile = index === 0 ? ["at once", printed(stage, stage.plan())] : [];
    const plan = stage.settled();
    const said = stage.said.length === 0 ? ["audit: nothing"] : stage.said.map((line) => `audit: ${line}`);
    return [...meanwhile, `settled by ${policy}`, ...said, printed(stage, plan)];
  });
  return [...lines.slice(0, last + 1), "", ...outcomes].join("\n");
}

/** As `flyball plan` prints it. */
function printed({ project }: Stage, plan: Plan): string {
  return renderProjectAnswer(projectAnswer(project, [], plan), false, { paint: (_style, text) => text });
}

describe("what Flyball makes of what docker compose and people leave, as compose-table.txt tells it", () => {
  const [, ...stories] = readFileSync(FILE, "utf8")
    .trimEnd()
    .split(/^(?==== )/mu);
  for (const story of stories) {
    const title = story.slice(4, story.indexOf("\n"));
    test(title, () => assert.equal(`${told(story)}\n`, `${story.trimEnd()}\n`));
  }
});
