declare module "tar-stream" {
  import type { Readable } from "node:stream";

  interface Header {
    name: string;
    type?: "file" | "directory";
    mode?: number;
    mtime?: Date;
  }

  interface Pack extends Readable {
    entry(header: Header, content?: string | Buffer): void;
    finalize(): void;
  }

  export function pack(): Pack;
}
