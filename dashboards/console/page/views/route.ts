import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Where in the page one is; in the address behind the `#`, so that it can be sent to somebody. */
export type Place =
  | { readonly page: "services" | "alerts" | "timeline" | "nodes" }
  | { readonly page: "service"; readonly id: string; readonly decisionAtMs: number | undefined };

export function placeOf(hash: string): Place {
  const [page = "", id = "", at = ""] = hash.replace(/^#\/?/, "").split("/");
  if (page === "service" && id !== "") {
    const decisionAtMs = /^\d+$/.test(at) ? Number(at) : undefined;
    return { page: "service", id: decoded(id), decisionAtMs };
  }
  return page === "alerts" || page === "timeline" || page === "nodes" ? { page } : { page: "services" };
}

export function serviceHref(id: string, decisionAtMs?: number): string {
  return `#/service/${encodeURIComponent(id)}${decisionAtMs === undefined ? "" : `/${decisionAtMs}`}`;
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const look = () => setHash(location.hash);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return placeOf(hash);
}

/** As a browser does between documents: a new page begins at its top, the tiles are where they were left, and focus follows. */
export function useArrival(place: Place): void {
  const tilesTop = useRef(0);
  const name = place.page === "service" ? place.id : place.page;
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    if (!isFirst.current) document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true });
    isFirst.current = false;
    const isTiles = place.page === "services";
    scrollTo(0, isTiles ? tilesTop.current : 0);
    if (!isTiles) return undefined;
    const remember = () => {
      tilesTop.current = scrollY;
    };
    addEventListener("scroll", remember, { passive: true });
    return () => removeEventListener("scroll", remember);
  }, [name]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
