import { nearest } from "./nearest.ts";

/** A label that is none of Flyball's, and what a person should be told about it. */
export interface UnknownLabel {
  readonly key: string;
  readonly severity: "error" | "warning";
  readonly message: string;
}

const OWN_PREFIXES = ["autoscale.", "probe.", "aliyun.auto_scaling.", "job.", "alert."];
const VENDOR_PREFIX = "aliyun.";

/** Those that are Flyball's by their prefix, or seem to be meant so; `openPrefix`: below it any name is allowed. */
export function unknownLabels(
  keys: readonly string[],
  known: ReadonlySet<string>,
  openPrefix: string,
): UnknownLabel[] {
  return keys.flatMap((key): UnknownLabel[] => {
    if (known.has(key) || key.startsWith(openPrefix)) return [];
    const meant = nearest(key.toLowerCase(), known);
    if (OWN_PREFIXES.some((prefix) => key.startsWith(prefix))) {
      return [{ key, severity: "error", message: `is not a label of Flyball${didYouMean(meant)}` }];
    }
    if (key.startsWith(VENDOR_PREFIX)) {
      const message = `is not acted on by this version of Flyball${didYouMean(meant)}`;
      return [{ key, severity: "warning", message }];
    }
    const slip = meant !== undefined && startsAlike(key, meant) ? meant : slipIn(key, openPrefix);
    if (slip === undefined) return [];
    return [{ key, severity: "warning", message: `is not a label of Flyball${didYouMean(slip)}` }];
  });
}

/** Another tool's label that merely looks alike keeps its peace; ours with a slip in the prefix does not. */
function startsAlike(key: string, meant: string): boolean {
  const prefix = meant.slice(0, meant.indexOf("."));
  const starts = [key.slice(0, prefix.length), key.split(".")[0] ?? key];
  return starts.some((start) => nearest(start.toLowerCase(), [prefix]) !== undefined);
}

/** `business.team` for `busines.team`. */
function slipIn(key: string, openPrefix: string): string | undefined {
  const [prefix, ...name] = key.split(".");
  const word = openPrefix.slice(0, -1);
  const slipped = name.length > 0 && nearest(prefix?.toLowerCase() ?? "", [word]) !== undefined;
  return slipped ? [word, ...name].join(".") : undefined;
}

function didYouMean(word: string | undefined): string {
  return word === undefined ? "" : `: did you mean ${word}?`;
}
