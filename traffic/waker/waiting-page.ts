import type { IncomingHttpHeaders } from "node:http";

const AGAIN_AFTER_SECONDS = 1;

/** A page that a person looks at, and not one of its parts or a program. */
export function isForPerson(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  const mode = headers["sec-fetch-mode"];
  if (method !== "GET" || (mode !== undefined && mode !== "navigate")) return false;
  return headers.accept?.includes("text/html") ?? false;
}

/** What a person sees until the page that was asked for is there; it asks again by itself. */
export const WAITING_PAGE = {
  headers: {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Retry-After": String(AGAIN_AFTER_SECONDS),
  },
  text: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${AGAIN_AFTER_SECONDS}">
<title>One moment</title>
<style>
  body { display: grid; place-items: center; min-height: 100vh; margin: 0; font: 18px/1.5 system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } }
</style>
<p role="status">One moment: this page was asleep and is waking up.</p>
</html>
`,
} as const;

/** What a program is told that was held for as long as it may be. */
export const STILL_ASLEEP = {
  headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", "Retry-After": "5" },
  text: "The service is being started, which takes longer than a request may be held.\n",
} as const;
