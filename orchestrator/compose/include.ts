import { isDeepStrictEqual } from "node:util";
import {
  asList,
  asMapping,
  has,
  isMapping,
  type Report,
  scalarText,
  type YamlMapping,
  type YamlValue,
} from "./values.ts";

/** One entry of `include`, its long form. */
export interface Include {
  /** The first is the main file, the others are merged onto it. */
  readonly paths: readonly string[];
  readonly projectDirectory?: string;
  readonly envFiles: readonly string[];
}

export function readIncludes(document: YamlMapping): Include[] {
  return asList(document["include"]).map((entry) => {
    if (!isMapping(entry)) return { paths: [scalarText(entry)], envFiles: [] };
    const directory = entry["project_directory"];
    return {
      paths: textList(entry["path"]),
      envFiles: textList(entry["env_file"]),
      ...(typeof directory === "string" && directory !== "" ? { projectDirectory: directory } : {}),
    };
  });
}

function textList(value: YamlValue | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(scalarText) : [scalarText(value)];
}

const SECTIONS = ["services", "networks", "volumes", "secrets", "configs"];

/** The document with everything of an included one; the same name may stand in both only with the same meaning. */
export function importDocument(document: YamlMapping, included: YamlMapping, report: Report): YamlMapping {
  const result = { ...document };
  for (const section of SECTIONS) {
    if (!(section in included)) continue;
    const own = asMapping(document[section]);
    const imported = asMapping(included[section]);
    for (const [name, value] of Object.entries(imported)) {
      if (!has(own, name) || isDeepStrictEqual(own[name], value)) continue;
      report(
        [section, name],
        "expected a name that no included file defines, got one that is defined there otherwise",
      );
    }
    result[section] = { ...imported, ...own };
  }
  return result;
}
