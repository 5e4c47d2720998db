import { once } from "node:events";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { STREAM_PROTOCOL, TOPICS } from "../../core/wire-stream.ts";

/**
 * Clients of a stream, as many as are asked for, in a process of their own: what they cost is not the daemon's. Says
 * `open` when all of them listen; a line `count` is answered by what came since the last one: `FRAMES BYTES CLOSED`.
 */
const [url = "", wanted = ""] = process.argv.slice(2);
const AT_ONCE = 50;

let frames = 0;
let bytes = 0;
let closed = 0;

async function open(): Promise<void> {
  const socket = new WebSocket(url, STREAM_PROTOCOL, { perMessageDeflate: false });
  socket.on("close", () => {
    closed += 1;
  });
  socket.on("message", (data: Buffer) => {
    frames += 1;
    bytes += data.length;
  });
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "subscribe", topics: TOPICS }));
}

for (let opened = 0; opened < Number(wanted); opened += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, Number(wanted) - opened) }, open));
}
process.stdout.write("open\n");

createInterface({ input: process.stdin })
  .on("line", () => {
    process.stdout.write(`${frames} ${bytes} ${closed}\n`);
    [frames, bytes, closed] = [0, 0, 0];
  })
  .on("close", () => process.exit(0));
