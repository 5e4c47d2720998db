import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callApi } from "./api.ts";
import { mustRun } from "./command.ts";

const REPOSITORY = "flyball/busybox";
const TAG = "lab";

/** Imports `flyball/busybox:lab` into the engine unless it is there: Debian's static busybox and a link for each applet. */
export async function importImage(socketPath: string): Promise<void> {
  const found = await callApi(socketPath, "GET", `/images/${REPOSITORY}:${TAG}/json`);
  if (found.status === 200) return;
  const changes = ["ENV PATH=/bin", 'CMD ["sh"]'].map((change) => `&changes=${encodeURIComponent(change)}`);
  const query = `fromSrc=-&repo=${encodeURIComponent(REPOSITORY)}&tag=${TAG}${changes.join("")}`;
  const answer = await callApi(socketPath, "POST", `/images/create?${query}`, {
    body: await busyboxTar(),
    timeoutMs: 60_000,
  });
  // The engine answers 200 before it has read the tar; a failure comes as a line of the body.
  if (answer.status !== 200 || answer.body.includes('"error"')) {
    throw new Error(
      `the engine at ${socketPath} refused the test image: ${answer.status} ${answer.body.trim()}`,
    );
  }
}

async function busyboxTar(): Promise<Buffer> {
  const work = mkdtempSync(join(tmpdir(), "flyball-image-"));
  try {
    const root = join(work, "root");
    for (const folder of ["bin", "etc", "tmp", "root", "www"])
      mkdirSync(join(root, folder), { recursive: true });
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    writeFileSync(join(root, "etc/group"), "root:x:0:\n");
    for (const applet of (await mustRun("/bin/busybox", ["--list"])).split("\n")) {
      if (applet !== "" && applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
    }
    const tar = join(work, "image.tar");
    await mustRun("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", root, "-cf", tar, "."]);
    return readFileSync(tar);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
