/** A process that brings a command to its gate, says its pid, and waits to be killed. */
import { join } from "node:path";
import { spawnGated } from "../../../../orchestrator/engines/process/spawn.ts";

const [directory = ".", statusPath = join(directory, "status")] = process.argv.slice(2);
const { identity } = await spawnGated({
  service: "shop_web",
  path: "/bin/sh",
  argv: ["/bin/sh", "-c", "echo > ran"],
  environment: {},
  workingDirectory: directory,
  logPath: join(directory, "log"),
  statusPath,
  keepsStatus: false,
});
process.stdout.write(`${identity.pid}\n`);
setInterval(() => undefined, 60_000);
