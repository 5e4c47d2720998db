import type { Route } from "../table.ts";

interface Place {
  /** Ends with a slash. */
  readonly path: string;
  readonly backend: string;
}

/** Where the requests that come to one address go: by host, and of several paths of a host the longest. */
export class Routes {
  readonly #byDomain = new Map<string, Place[]>();

  constructor(routes: readonly Route[]) {
    for (const { domain = "*", path, backend } of routes) {
      const places = this.#byDomain.get(domain) ?? [];
      places.push({ path: withSlash(path), backend });
      this.#byDomain.set(
        domain,
        places.sort((a, b) => b.path.length - a.path.length),
      );
    }
  }

  /** @param host as the request names it, perhaps with a port; @param target what it asks for */
  backendOf(host: string | undefined, target: string): string | undefined {
    const path = withSlash(pathOf(target));
    return this.#find(hostOnly(host ?? ""), path) ?? this.#find("*", path);
  }

  #find(domain: string, path: string): string | undefined {
    return this.#byDomain.get(domain)?.find((place) => path.startsWith(place.path))?.backend;
  }
}

function hostOnly(host: string): string {
  return host.replace(/:\d*$/, "").toLowerCase();
}

/** A proxy is asked with the whole address, and `OPTIONS` with a star. */
function pathOf(target: string): string {
  if (target.startsWith("/")) return target.split("?", 1)[0] ?? "/";
  return URL.canParse(target) ? new URL(target).pathname : "/";
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}
