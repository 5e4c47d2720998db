import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

export interface TinyRegistry extends AsyncDisposable {
  readonly host: string;
  /** From now on the name stands for another image. */
  renew(): void;
}

/**
 * A registry on loopback with one small image, `shop/tiny:latest`, in which busybox runs, and one whose layer is
 * missing, `shop/torn:latest`.
 */
export async function tinyRegistry(): Promise<TinyRegistry> {
  let image = packedImage();
  const blobs = new Map(image.blobs);
  const server = http.createServer((request, response) => {
    const [, , , repository, kind, reference = ""] = (request.url ?? "").split("/");
    const isLayer = reference === image.layerDigest;
    const body =
      kind === "manifests"
        ? image.manifest
        : repository === "torn" && isLayer
          ? undefined
          : blobs.get(reference);
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
    renew() {
      image = packedImage();
      for (const [digest, blob] of image.blobs) blobs.set(digest, blob);
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function packedImage() {
  const layer = packedLayer();
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/busybox", "sleep", "1000"] },
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
  const blobs = [config, layer].map((blob) => [digestOf(blob), blob] as const);
  return { manifest, blobs, layerDigest: digestOf(layer) };
}

/** Busybox and a file, packed as a layer. */
function packedLayer(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "fbregistry-"));
  try {
    // Of its own in each run: an engine that has the layer already would not ask for it.
    writeFileSync(join(directory, "hello"), `hello ${directory}\n`);
    copyFileSync("/bin/busybox", join(directory, "busybox"));
    return execFileSync("tar", ["-C", directory, "-czf", "-", "hello", "busybox"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
