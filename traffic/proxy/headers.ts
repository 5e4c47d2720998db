import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** Of one connection, and not of what goes over it. */
const OF_THE_CONNECTION = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Of a replica's answer, as they are passed on to the client, whose connection is another one. */
export function answerHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const passed: OutgoingHttpHeaders = { ...headers };
  for (const name of [...OF_THE_CONNECTION, ...named]) delete passed[name];
  return passed;
}

/**
 * Makes a client's headers those of a request to a replica: who asked is told, and what was of the client's connection is
 * left out. How the body is sent stays, because it is sent on in the same way.
 */
export function passOn(headers: IncomingHttpHeaders, client: string | undefined, isUpgrade: boolean): void {
  if (!isUpgrade) {
    for (const name of ["connection", "keep-alive", "proxy-connection", "te", "upgrade"])
      delete headers[name];
  }
  // It was answered here, before the body came.
  delete headers.expect;
  if (client === undefined) return;
  const address = client.replace(/^::ffff:/, "");
  const before = headers["x-forwarded-for"];
  headers["x-forwarded-for"] = before === undefined ? address : `${before}, ${address}`;
}
