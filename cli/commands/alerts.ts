import { type Command, InvalidArgumentError } from "commander";
import { FlyballError } from "../../core/errors.ts";
import { type Matcher, parseMatcher } from "../../core/matcher.ts";
import { formatDuration, MINUTE_MS, parseDurationMs } from "../../core/units.ts";
import type { AlertView } from "../../core/wire-alerts.ts";
import { readCount } from "../arguments.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { formatInstant } from "../render.ts";
import { renderAlerts, renderSilences } from "../render-alerts.ts";
import { printable } from "../terminal.ts";
import type { AddCommand, CommandContext } from "./command.ts";

interface PersonFlags extends GlobalFlags {
  readonly by?: string;
  readonly comment?: string;
}

const LONGEST_SILENCE_MS = 90 * 24 * 60 * MINUTE_MS;

/** `flyball alerts ls`, `ack`, `silence`, `silences`, `unsilence` and `test`. */
export const addAlerts: AddCommand = (program, context) => {
  const alerts = program.command("alerts").description("show what is wrong, and who is told of it");
  addList(alerts, context);
  addAcknowledge(alerts, context);
  addSilences(alerts, context);
  addTest(alerts, context);
};

function addList(alerts: Command, { terminal }: CommandContext): void {
  const list = alerts
    .command("ls", { isDefault: true })
    .description("list alerts: what is wrong now, then what was")
    .option("-n, --number <count>", "how many", readCount, 50);
  addJsonOption(list).action(async () => {
    const flags = list.optsWithGlobals<GlobalFlags & JsonFlag & { number: number }>();
    const answer = await connect(flags, terminal).client.alerts(flags.number);
    terminal.print(
      flags.json ? JSON.stringify(answer, null, 2) : renderAlerts(answer, terminal.nowMs(), terminal),
    );
  });
}

function addAcknowledge(alerts: Command, { terminal }: CommandContext): void {
  const acknowledge = addPerson(
    alerts
      .command("ack")
      .description("say that an alert is known: nobody is told of it again until it has resolved")
      .argument("<id>", "of the alert, or its beginning"),
  ).action(async (start: string) => {
    const flags = acknowledge.optsWithGlobals<PersonFlags>();
    const { client } = connect(flags, terminal);
    const { id } = findAlert(start, (await client.alerts(1_000)).alerts);
    const { summary } = await client.acknowledge(id, {
      by: whoIs(flags, terminal),
      comment: flags.comment ?? "",
    });
    terminal.print(printable(`known: ${summary}`));
  });
}

function addSilences(alerts: Command, { terminal }: CommandContext): void {
  const silence = addPerson(
    alerts
      .command("silence")
      .description("tell nobody of alerts whose labels match, for a while")
      .argument(
        "<matcher...>",
        'as service=shop_web, project=~"shop.*" or severity!=critical; all must match',
        readMatcher,
      )
      .requiredOption("--for <duration>", "how long, as 2h", readSilenceMs),
  ).action(async (matchers: Matcher[]) => {
    const flags = silence.optsWithGlobals<PersonFlags & { for: number }>();
    const { id, endsAtMs } = await connect(flags, terminal).client.silence({
      matchers,
      endsAtMs: terminal.nowMs() + flags.for,
      author: whoIs(flags, terminal),
      comment: flags.comment ?? "",
    });
    terminal.print(`${id}: silent until ${formatInstant(endsAtMs)}`);
  });

  const list = alerts.command("silences").description("list silences, those that are over last");
  addJsonOption(list).action(async () => {
    const flags = list.optsWithGlobals<GlobalFlags & JsonFlag>();
    const silences = await connect(flags, terminal).client.silences();
    terminal.print(flags.json ? JSON.stringify(silences, null, 2) : renderSilences(silences, terminal));
  });

  const end = alerts
    .command("unsilence")
    .description("end a silence now")
    .argument("<id>", "as flyball alerts silences shows it")
    .action(async (id: string) => {
      await connect(end.optsWithGlobals<GlobalFlags>(), terminal).client.endSilence(id);
      terminal.print(printable(`${id}: ended`));
    });
}

function addTest(alerts: Command, { terminal }: CommandContext): void {
  const test = alerts
    .command("test")
    .description("send a test through a channel, at once and once")
    .argument("<channel>", "its name in the configuration")
    .action(async (name: string) => {
      const { client } = connect(test.optsWithGlobals<GlobalFlags>(), terminal);
      const { delivered, tookMs, problem } = await client.testChannel(name);
      if (!delivered) {
        throw new FlyballError("DELIVERY_FAILED", printable(`${name}: ${problem ?? "no reason given"}`));
      }
      terminal.print(printable(`${name}: delivered in ${formatDuration(tookMs)}`));
    });
}

function addPerson(command: Command): Command {
  return command
    .option("--comment <text>", "why, for those who read it later")
    .option("--by <name>", "who says so (default: $USER)");
}

function whoIs({ by }: PersonFlags, { environment }: CommandContext["terminal"]): string {
  return by ?? (environment["USER"] || environment["LOGNAME"] || "somebody");
}

function readMatcher(text: string, previous: readonly Matcher[] = []): Matcher[] {
  const matcher = parseMatcher(text);
  if (typeof matcher === "string") throw new InvalidArgumentError(`${matcher}.`);
  return [...previous, matcher];
}

function readSilenceMs(text: string): number {
  const spanMs = parseDurationMs(text);
  if (spanMs === undefined || spanMs < 1 || spanMs > LONGEST_SILENCE_MS) {
    throw new InvalidArgumentError("Expected a duration of 90 days at most, as 2h.");
  }
  return spanMs;
}

function findAlert(start: string, alerts: readonly AlertView[]): AlertView {
  const found = alerts.filter(({ id, state }) => state !== "resolved" && id.startsWith(start));
  const [alert, ...others] = found;
  if (alert === undefined) throw new FlyballError("NOT_FOUND", `no alert ${start} is pending or firing`);
  if (others.length === 0) return alert;
  const ids = found.map(({ id }) => id).join(", ");
  throw new FlyballError("NOT_FOUND", `expected more of the id: ${ids} begin with ${start}`);
}
