import { isIP } from "node:net";
import type { YamlMapping } from "./values.ts";

interface Range {
  readonly first: number;
  readonly last: number;
}

const PROTOCOLS = ["tcp", "udp", "sctp"];

/**
 * The short form of a port, `[[ip:]published:]target[/protocol]` with ranges, as the long forms it stands for; or the
 * reason why it is none.
 */
export function parsePort(spec: string): YamlMapping[] | string {
  const expected = `expected a port such as 80, 8080:80, 127.0.0.1:8080:80/udp or 3000-3005, got "${spec}"`;
  const [address = "", protocolText = "tcp", ...rest] = spec.split("/");
  const protocol = protocolText === "" ? "tcp" : protocolText.toLowerCase();
  if (rest.length > 0 || !PROTOCOLS.includes(protocol)) {
    return `expected the protocol tcp, udp or sctp, got "${[protocolText, ...rest].join("/")}"`;
  }
  const { ip, publishedText, targetText } = splitAddress(address);
  if (ip !== "" && isIP(ip) === 0) return expected;
  const target = parseRange(targetText);
  const published = publishedText === "" ? undefined : parseRange(publishedText);
  if (target === undefined || target.first === 0 || (publishedText !== "" && published === undefined))
    return expected;
  const size = target.last - target.first;
  const publishedSize = published === undefined ? 0 : published.last - published.first;
  if (published !== undefined && publishedSize !== size && size !== 0) {
    return `expected ranges of the same length on both sides, got "${spec}"`;
  }
  const ports: YamlMapping[] = [];
  for (let offset = 0; offset <= size; offset++) {
    const hostPort = size === 0 ? publishedText : String((published?.first ?? 0) + offset);
    ports.push({
      mode: "ingress",
      ...(ip === "" ? {} : { host_ip: ip }),
      target: target.first + offset,
      ...(published === undefined ? {} : { published: hostPort }),
      protocol,
    });
  }
  return ports.sort((a, b) => (`${a["target"]}/` < `${b["target"]}/` ? -1 : 1));
}

/** `ip:published:target`, from the right; the ip may be an IPv6 address, with or without brackets. */
function splitAddress(address: string): { ip: string; publishedText: string; targetText: string } {
  const parts = address.split(":");
  const targetText = parts.pop() ?? "";
  const publishedText = parts.pop() ?? "";
  const ip = parts.join(":").replace(/^\[(.*)\]$/u, "$1");
  return { ip, publishedText, targetText };
}

function parseRange(text: string): Range | undefined {
  const match = /^(\d+)(?:-(\d+))?$/u.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= 65_535 ? { first, last } : undefined;
}
