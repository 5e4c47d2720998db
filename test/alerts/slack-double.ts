import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Text {
  readonly type?: unknown;
  readonly text?: unknown;
}
interface Block {
  readonly type?: unknown;
  readonly block_id?: unknown;
  readonly text?: Text;
  readonly fields?: readonly Text[];
  readonly elements?: readonly Text[];
}
interface Payload {
  readonly text?: unknown;
  readonly blocks?: readonly Block[];
  readonly attachments?: readonly { readonly color?: unknown; readonly blocks?: readonly Block[] }[];
}

export interface SlackAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SlackDouble extends AsyncDisposable {
  readonly url: string;
  /** What was taken, in order. */
  readonly messages: readonly Payload[];
  /** Answered to each request, taken or not. */
  readonly answers: readonly SlackAnswer[];
}

/**
 * An incoming webhook that is as strict as Slack's documentation says Slack is:
 * https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 *
 * @param trouble what to answer in place of looking at the message; undefined: look at it
 */
export async function startSlack(
  trouble: (request: number) => SlackAnswer | undefined = () => undefined,
): Promise<SlackDouble> {
  const messages: Payload[] = [];
  const answers: SlackAnswer[] = [];
  const path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const answer =
      trouble(answers.length) ?? judge(request.url === path, request.headers["content-type"], body);
    answers.push(answer);
    if (answer.status === 200) messages.push(JSON.parse(body));
    response.writeHead(answer.status, { "content-type": "text/plain", ...answer.headers }).end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    messages,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function judge(isKnown: boolean, contentType: string | undefined, body: string): SlackAnswer {
  const refuse = (problem: string, status = 400) => ({ status, body: problem });
  if (!isKnown) return refuse("no_service", 404);
  if (!contentType?.startsWith("application/json")) return refuse("invalid_payload");
  let payload: Payload;
  try {
    payload = JSON.parse(body);
  } catch {
    return refuse("invalid_payload");
  }
  const problem = problemOf(payload);
  return problem === undefined ? { status: 200, body: "ok" } : refuse(problem);
}

function problemOf({ text: fallback, blocks = [], attachments = [] }: Payload): string | undefined {
  if (!isText(fallback, 40_000)) return "no_text";
  if (attachments.length > 100) return "too_many_attachments";
  for (const { color } of attachments) {
    if (
      color !== undefined &&
      !(typeof color === "string" && /^(#[0-9a-f]{6}|good|warning|danger)$/iu.test(color))
    ) {
      return "invalid_attachments";
    }
  }
  for (const list of [blocks, ...attachments.map((one) => one.blocks ?? [])]) {
    if (list.length > 50) return "invalid_blocks: more than 50";
    const ids = list.flatMap(({ block_id: id }) => (id === undefined ? [] : [id]));
    if (new Set(ids).size < ids.length) return "invalid_blocks: block_id twice";
    for (const block of list) {
      const wrong = blockProblem(block);
      if (wrong !== undefined) return `invalid_blocks: ${wrong}`;
    }
  }
  return undefined;
}

function blockProblem({ type, text: words, fields, elements, block_id: id }: Block): string | undefined {
  if (id !== undefined && !isText(id, 255)) return "block_id";
  switch (type) {
    case "header":
      return words?.type === "plain_text" && isText(words.text, 150) ? undefined : "header";
    case "section": {
      const hasText = words !== undefined && isMarked(words, 3_000);
      const hasFields = fields !== undefined && fields.length > 0;
      if (!hasText && !hasFields) return "section";
      if ((fields?.length ?? 0) > 10 || fields?.some((field) => !isMarked(field, 2_000))) return "fields";
      return undefined;
    }
    case "context":
      if (elements === undefined || elements.length === 0 || elements.length > 10) return "context";
      return elements.every((element) => isMarked(element, 3_000)) ? undefined : "context element";
    case "divider":
      return undefined;
    default:
      return `unknown type ${type}`;
  }
}

/** Characters that mean something are written as entities, and nothing else is one. */
function isMarked({ type, text: words }: Text, most: number): boolean {
  if (type === "plain_text") return isText(words, most);
  return type === "mrkdwn" && isText(words, most) && !/<(?!https?:)|&(?!amp;|lt;|gt;)/u.test(String(words));
}

function isText(value: unknown, most: number): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= most;
}
