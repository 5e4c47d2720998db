import { formatBytes } from "../core/units.ts";
import type { Doctor, FailureView, Leftovers, Swept, VerdictView } from "../core/wire-care.ts";
import { formatInstant, UNKNOWN } from "./render.ts";
import { renderTable, type TableOptions } from "./table.ts";
import { printable } from "./terminal.ts";

/** One line for each replica that failed, the newest first. */
export function renderFailures(failures: readonly FailureView[], options: TableOptions): string {
  if (failures.length === 0) return "no replica has failed in the last seven days";
  const rows = failures
    .toSorted((a, b) => b.takenAtMs - a.takenAtMs)
    .map((failure) => [
      formatInstant(failure.exitedAtMs ?? failure.takenAtMs),
      failure.service,
      String(failure.slot),
      failure.name,
      failure.reason,
      failure.log?.split("\n").at(-1) || UNKNOWN,
    ]);
  return renderTable(["TIME", "SERVICE", "SLOT", "REPLICA", "WHAT", "LAST LINE"], rows, options);
}

/** One failed replica with all that it wrote last. */
export function renderFailure(failure: FailureView, options: TableOptions): string {
  const when = formatInstant(failure.exitedAtMs ?? failure.takenAtMs);
  const heading = printable(`${failure.name} ${failure.reason} at ${when}`);
  const ran = failure.startedAtMs === undefined ? [] : [`started at ${formatInstant(failure.startedAtMs)}`];
  return [
    options.paint("bold", heading),
    ...ran,
    ...failure.missing.map((what) => `missing: ${printable(what)}`),
    ...(failure.log === undefined || failure.log === ""
      ? []
      : printable(failure.log)
          .split("\n")
          .map((line) => `  ${line}`)),
  ].join("\n");
}

/** The verdict on each service, what to change, and what could be cleared away. */
export function renderDoctor({ services, leftovers, missing }: Doctor, options: TableOptions): string {
  const verdicts = services.map((verdict) => renderVerdict(verdict, options));
  return [
    ...(services.length === 0 ? ["no services: give the daemon a project with flyball up"] : verdicts),
    ...(leftovers === undefined ? [] : [summaryOf(leftovers, "flyball gc shows what")]),
    ...(leftovers?.kept ?? []).map((reason) => `kept: ${printable(reason)}`),
    ...missing.map((what) => `missing: ${printable(what)}`),
  ].join("\n");
}

const STYLES = { can: "green", "can-after": "yellow", cannot: "red" } as const;

/** The sentence says the changes, or the reasons; the lines below say the other half. */
function renderVerdict(
  { service, verdict, sentence, findings }: VerdictView,
  { paint }: TableOptions,
): string {
  const lines = findings.map(({ effect, because, change }) => {
    if (effect === "note") return `note: ${because}: ${change}`;
    if (verdict === "can-after") return `because ${because}`;
    return effect === "cannot" ? `instead: ${change}` : `and because ${because}: ${change}`;
  });
  return [
    `${paint("bold", printable(service))}: ${paint(STYLES[verdict], printable(sentence))}`,
    ...lines.map((line) => `  ${printable(line)}`),
  ].join("\n");
}

/** What could be removed, why, and how much it takes. */
export function renderLeftovers(leftovers: Leftovers, options: TableOptions): string {
  const rows = leftovers.items.map(({ kind, name, service, bytes, why }) => [
    kind,
    name,
    service ?? UNKNOWN,
    bytes === undefined ? UNKNOWN : formatBytes(bytes),
    why,
  ]);
  return [
    ...(rows.length === 0 ? [] : [renderTable(["KIND", "NAME", "SERVICE", "SIZE", "WHY"], rows, options)]),
    summaryOf(leftovers, "flyball gc --yes removes what is shown"),
    ...leftovers.kept.map((reason) => `kept: ${printable(reason)}`),
  ].join("\n");
}

export function renderSwept({ swept }: Swept): string {
  const gone = swept.filter(({ problem }) => problem === undefined);
  return [
    ...swept.flatMap(({ key, problem }) =>
      problem === undefined ? [] : [printable(`stays: ${key}: ${problem}`)],
    ),
    `removed ${gone.length} of ${counted(swept.length)}, ${sizeOf(gone)}`,
  ].join("\n");
}

function summaryOf({ items }: Leftovers, how: string): string {
  if (items.length === 0) return "nothing to clear away";
  return `${counted(items.length)} to clear away, ${sizeOf(items)} (${how})`;
}

function sizeOf(items: readonly { readonly bytes?: number | undefined }[]): string {
  const known = items.flatMap(({ bytes }) => bytes ?? []);
  const sum = formatBytes(known.reduce((total, bytes) => total + bytes, 0));
  return known.length === items.length ? sum : `${sum} and more that nobody has counted`;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? "thing" : "things"}`;
}
