/**
 * The apt source file of another Debian suite, made from the machine's own: the same hosts, keys and options, and only the
 * suite's name replaced. Only entries of Debian itself are taken (component `main` of the suite, its updates and its
 * security fixes); a vendor's repository may not have the other suite.
 *
 * @param files contents of the machine's source files, by name; one-line `.list` and deb822 `.sources`
 * @returns deb822 text; empty when no entry is of suite `from`
 */
export function sourcesForSuite(files: ReadonlyMap<string, string>, from: string, to: string): string {
  const stanzas = [...files].flatMap(([name, text]) =>
    name.endsWith(".sources") ? parseStanzas(text) : parseLines(text),
  );
  return stanzas
    .flatMap((stanza) => moveStanza(stanza, from, to) ?? [])
    .map((stanza) =>
      [...stanza].map(([field, value]) => `${field}:${value.startsWith("\n") ? "" : " "}${value}\n`).join(""),
    )
    .join("\n");
}

type Stanza = ReadonlyMap<string, string>;

function moveStanza(stanza: Stanza, from: string, to: string): Stanza | undefined {
  const words = (field: string) => (stanza.get(field) ?? "").split(/\s+/).filter((word) => word !== "");
  const suites = words("Suites").filter((suite) =>
    [from, `${from}-updates`, `${from}-security`].includes(suite),
  );
  const isDebian = words("Types").includes("deb") && words("Components").includes("main");
  if (!isDebian || suites.length === 0 || stanza.get("Enabled") === "no") return undefined;
  return new Map([
    ...stanza,
    ["Types", "deb"],
    ["Suites", suites.map((suite) => suite.replace(from, to)).join(" ")],
    ["Components", "main"],
  ]);
}

function parseStanzas(text: string): Stanza[] {
  const withoutComments = text.split("\n").filter((line) => !line.startsWith("#"));
  return withoutComments
    .join("\n")
    .split(/\n[ \t]*\n+/)
    .map((block) => {
      const fields = block.matchAll(/^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*(?:\n[ \t]+.*)*)/gm);
      return new Map([...fields].map(([, field = "", value = ""]) => [field, value.trimEnd()] as const));
    });
}

function parseLines(text: string): Stanza[] {
  return text.split("\n").flatMap((line) => {
    const entry = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (entry === null) return [];
    const [, options = "", uri = "", suite = "", components = ""] = entry;
    const signedBy = /signed-by=(\S+)/i.exec(options)?.[1];
    return new Map([
      ["Types", "deb"],
      ["URIs", uri],
      ["Suites", suite],
      ["Components", components.trim()],
      ...(signedBy === undefined ? [] : [["Signed-By", signedBy] as const]),
    ]);
  });
}
