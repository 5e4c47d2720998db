import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndpointDirectory } from "../../../core/wire-endpoints.ts";

/** What the daemon says when services answer at these ports of 10.0.0.1: `{ shop_web: [81, 82] }`. */
export function directoryOf(
  ports: Readonly<Record<string, readonly number[]>>,
  version = 1,
): EndpointDirectory {
  const services = Object.entries(ports).map(([service, ofService]) => {
    const [project = "", name = ""] = service.split("_");
    const endpoints = ofService.map((port, index) => ({
      replica: `${service}-${index + 1}`,
      slot: index + 1,
      host: "10.0.0.1",
      port,
      targetPort: 8080,
    }));
    return { service, project, name, businessLabels: { team: "checkout" }, version, endpoints };
  });
  return { version, services };
}

/** A directory of its own, with the files that are written into it; gone at the end. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "flyball-render-"));

  at(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.at(name), text);
    return this.at(name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
