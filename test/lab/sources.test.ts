import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sourcesForSuite } from "./sources.ts";

const move = (files: Record<string, string>) =>
  sourcesForSuite(new Map(Object.entries(files)), "bookworm", "trixie");

describe("the sources of another suite", () => {
  test("keep hosts and keys, and replace only the suite's name", () => {
    const debian = `Types: deb
# a comment
URIs: http://mirror.example/bookworm-mirror
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main contrib
Signed-By: /keys/debian.gpg
`;
    assert.equal(
      move({ "debian.sources": debian }),
      `Types: deb
URIs: http://mirror.example/bookworm-mirror
Suites: trixie trixie-updates
Components: main
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: trixie-security
Components: main
Signed-By: /keys/debian.gpg
`,
    );
  });

  test("are made from one-line entries too", () => {
    assert.equal(
      move({
        "sources.list": `# deb http://old.example bookworm main
deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main contrib # trailing
deb-src http://mirror.example/debian bookworm main
`,
      }),
      `Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main
Signed-By: /keys/debian.gpg
`,
    );
  });

  test("keep a key that is written into the entry itself", () => {
    const key = `Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----`;
    const stanza = `Types: deb\nURIs: http://mirror.example\nSuites: bookworm\nComponents: main\n${key}\n`;
    assert.equal(move({ "debian.sources": stanza }), stanza.replace("bookworm", "trixie"));
  });

  test("leave out other vendors, backports, disabled entries and other kinds of files", () => {
    const entry = (suite: string, rest = "main") => `deb http://vendor.example ${suite} ${rest}\n`;
    assert.equal(
      move({
        "docker.list": entry("bookworm", "stable"),
        "database.list": entry("bookworm-database"),
        "backports.list": entry("bookworm-backports"),
        "off.sources":
          "Enabled: no\nTypes: deb\nURIs: http://mirror.example\nSuites: bookworm\nComponents: main\n",
      }),
      "",
    );
  });
});
