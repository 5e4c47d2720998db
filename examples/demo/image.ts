import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";

export const IMAGE = "flyball/shop-web:demo";

/** Says what the image was made from, so that one that is still right is not made again. */
const CONTENT_LABEL = "flyball.demo.content";
const PATH = "/usr/local/bin:/usr/bin:/bin";

interface ImageFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

/**
 * Makes the shop's image on the engine without a registry: this Node, the libraries it needs, and `web.ts`.
 * Returns false when the image was there already.
 */
export async function ensureImage(docker: Docker, shopDirectory: string): Promise<boolean> {
  if (process.platform !== "linux") {
    throw new Error(`the demo's image needs Linux, this is ${process.platform}; use --engine process`);
  }
  const files = imageFiles(shopDirectory);
  const content = hashOf(files);
  const found = await docker
    .getImage(IMAGE)
    .inspect()
    .catch(() => undefined);
  if (found?.Config.Labels?.[CONTENT_LABEL] === content) return false;

  const [repo, tag] = IMAGE.split(":");
  const changes = [
    `ENV PATH=${PATH}`,
    "WORKDIR /shop",
    "USER 1000:1000",
    `CMD ["node", "web.ts"]`,
    `LABEL ${CONTENT_LABEL}=${content}`,
  ];
  const answer = await docker.importImage(tarOf(files), { repo, tag, changes });
  await new Promise<void>((resolve, reject) => {
    // The engine answers 200 before it has read the tar; a failure comes as a line of the answer.
    docker.modem.followProgress(answer, (error) => (error === null ? resolve() : reject(error)));
  });
  return true;
}

function imageFiles(shopDirectory: string): ImageFile[] {
  const file = (name: string, mode: number, content: Buffer | string): ImageFile => ({
    name,
    mode,
    content: Buffer.from(content),
  });
  return [
    file("usr/local/bin/node", 0o755, readFileSync(process.execPath)),
    ...sharedLibraries(process.execPath).map((path) => file(path.slice(1), 0o755, readFileSync(path))),
    file("etc/passwd", 0o644, "root:x:0:0::/root:/bin/false\nshop:x:1000:1000::/shop:/bin/false\n"),
    file("etc/group", 0o644, "root:x:0:\nshop:x:1000:\n"),
    file("shop/package.json", 0o644, '{ "type": "module" }\n'),
    file("shop/web.ts", 0o644, readFileSync(join(shopDirectory, "web.ts"))),
  ];
}

/** Where the loader finds them, the loader itself among them. */
function sharedLibraries(binary: string): string[] {
  const lines = execFileSync("ldd", [binary], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => /(?:^|\s)(\/\S+) \(0x[0-9a-f]+\)$/.exec(line)?.[1] ?? []);
}

function tarOf(files: readonly ImageFile[]): Readable {
  const tar = pack();
  const mtime = new Date(0);
  tar.entry({ name: "tmp/", type: "directory", mode: 0o1777, mtime });
  for (const { name, mode, content } of files) tar.entry({ name, mode, mtime }, content);
  tar.finalize();
  return tar;
}

function hashOf(files: readonly ImageFile[]): string {
  const hash = createHash("sha256");
  for (const { name, mode, content } of files)
    hash.update(`${name} ${mode} ${content.length}\n`).update(content);
  return hash.digest("hex").slice(0, 16);
}
