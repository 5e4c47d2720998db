import { posix } from "node:path";
import type { YamlMapping } from "./values.ts";

const PROPAGATIONS = ["rprivate", "private", "rshared", "shared", "rslave", "slave"];

/** The short form of a mount, `[source:]target[:options]`, as its long form; or the reason why it is none. */
export function parseMount(spec: string): YamlMapping | string {
  if (spec === "") return "expected a mount such as data:/var/lib/data, got an empty text";
  if (spec.length <= 2) return { type: "volume", target: posix.normalize(spec) };
  const parts = splitMount(spec);
  if (parts.includes("")) return `expected no empty part between colons, got "${spec}"`;
  if (parts.length > 3) return `expected at most source:target:options, got "${spec}"`;
  const [first = "", second, optionText = ""] = parts;
  const source = second === undefined ? undefined : first;
  const options = optionText.split(",");
  const isBind = source !== undefined && isFilePath(source);
  const propagation = options.filter((option) => PROPAGATIONS.includes(option)).at(-1);
  const selinux = options.filter((option) => option === "z" || option === "Z").at(-1);
  const bind = {
    ...(selinux === undefined ? {} : { selinux }),
    ...(propagation === undefined ? {} : { propagation }),
    ...(isBind ? { create_host_path: true } : {}),
  };
  const nocopy = options.includes("nocopy");
  return {
    type: isBind ? "bind" : "volume",
    ...(source === undefined ? {} : { source }),
    target: cleanPath(second ?? first),
    ...(options.includes("ro") ? { read_only: true } : {}),
    ...(Object.keys(bind).length > 0 ? { bind } : {}),
    ...(nocopy || !isBind ? { volume: nocopy ? { nocopy } : {} } : {}),
  };
}

/** The path without needless dots and slashes. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/u, "") : clean;
}

/** Splits at colons, but not at the one of a Windows drive such as `C:\data`. */
function splitMount(spec: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (const character of spec) {
    if (character === ":" && !/^[a-z]$/iu.test(part)) {
      parts.push(part);
      part = "";
    } else {
      part += character;
    }
  }
  return [...parts, part];
}

function isFilePath(source: string): boolean {
  return /^(?:[./~]|\\\\|[a-z]:)/iu.test(source);
}
