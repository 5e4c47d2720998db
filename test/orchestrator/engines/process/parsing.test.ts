import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { signalNumber } from "../../../../orchestrator/engines/process/group.ts";
import { parseEnvironment, parseStat } from "../../../../orchestrator/engines/process/proc.ts";
import { splitEnvironment } from "../../../../orchestrator/engines/process/spawn.ts";
import { parseGroup, parsePasswd, resolveUser } from "../../../../orchestrator/engines/process/user.ts";

describe("reading what the machine says", () => {
  test("a process's line is read right, whatever its name holds", () => {
    const rest = "S 1 4169 4170 0 -1 4194304 97 0 0 0 0 0 0 0 20 0 1 0 88895 3133440";
    const expected = { pid: 42, state: "S", group: 4169, session: 4170, startTicks: 88_895 };
    for (const name of ["cat", "a) R 1 2 3", "((", "two\nlines"]) {
      assert.deepEqual(parseStat(`42 (${name}) ${rest}`), expected);
    }
    assert.equal(parseStat(""), undefined);
    assert.equal(parseStat("42 (cat) S 1 2"), undefined);
  });

  test("an environment is read up to its first equals sign", () => {
    assert.deepEqual(parseEnvironment("A=1\0B=x=y\0C=\0nothing\0=odd\0"), { A: "1", B: "x=y", C: "" });
  });

  test("names that a shell would drop are passed on another way", () => {
    assert.deepEqual(splitEnvironment({ A_1: "1", "server.port": "80", "1x": "" }), {
      plain: { A_1: "1" },
      odd: ["server.port=80", "1x="],
    });
  });

  test("signals have names, short names and numbers", () => {
    assert.deepEqual(
      ["SIGTERM", "term", "15", "SIGRTMIN+3", "RTMAX-1", "SIGNOPE", "0", "65"].map(signalNumber),
      [15, 15, 15, 37, 63, undefined, undefined, undefined],
    );
  });

  test("a user is found by name or number, with its group or another", () => {
    const accounts = {
      users: parsePasswd("root:x:0:0:root:/root:/bin/bash\nweb:x:1000:1001::/srv:/bin/sh\n\n"),
      groups: parseGroup("root:x:0:\nstaff:x:50:web\n"),
    };
    const idsOf = (text: string): unknown => {
      const found = resolveUser(text, accounts);
      return typeof found === "string" ? found : [found.uid, found.gid, found.entry?.name];
    };
    assert.deepEqual(idsOf("web"), [1000, 1001, "web"]);
    assert.deepEqual(idsOf("1000:staff"), [1000, 50, "web"]);
    assert.deepEqual(idsOf("7:8"), [7, 8, undefined]);
    assert.deepEqual(idsOf("7"), [7, 7, undefined]);
    assert.equal(idsOf("nobody"), "there is no user nobody on this machine");
    assert.equal(idsOf("web:none"), "there is no group none on this machine");
  });
});
