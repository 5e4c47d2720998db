import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

/** A registry on loopback with one small image, `shop/tiny:latest`, and one whose layer is missing, `shop/torn:latest`. */
export async function tinyRegistry(): Promise<AsyncDisposable & { readonly host: string }> {
  const layer = packedLayer();
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/hello"] },
      rootfs: { type: "layers", diff_ids: [digestOf(gunzipSync(layer))] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: {
        mediaType: "application/vnd.docker.container.image.v1+json",
        size: config.length,
        digest: digestOf(config),
      },
      layers: [
        {
          mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
          size: layer.length,
          digest: digestOf(layer),
        },
      ],
    }),
  );
  const blobs = new Map([config, layer].map((blob) => [digestOf(blob), blob]));
  const server = http.createServer((request, response) => {
    const [, , , repository, kind, reference = ""] = (request.url ?? "").split("/");
    const isLayer = reference === digestOf(layer);
    const body =
      kind === "manifests" ? manifest : repository === "torn" && isLayer ? undefined : blobs.get(reference);
    if (kind === undefined) return void response.end("{}");
    if (body === undefined) return void response.writeHead(404).end("{}");
    response.writeHead(200, {
      "content-type": kind === "manifests" ? MANIFEST_TYPE : "application/octet-stream",
      "content-length": body.length,
      "docker-content-digest": digestOf(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    host: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** One file, packed as a layer. */
function packedLayer(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "fbregistry-"));
  try {
    // Of its own in each run: an engine that has the layer already would not ask for it.
    writeFileSync(join(directory, "hello"), `hello ${directory}\n`);
    return execFileSync("tar", ["-C", directory, "-czf", "-", "hello"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
