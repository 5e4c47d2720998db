import type { Route } from "../route.ts";
import type { OpenApiDocument } from "./document.ts";

let made: Promise<OpenApiDocument> | undefined;

/** Made when it is asked for the first time: a daemon that nobody asks neither loads nor keeps it. */
export function openApi(routes: readonly Route[]): Promise<OpenApiDocument> {
  made ??= import("./document.ts").then(({ documentOf }) => documentOf(routes));
  return made;
}
