import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Place, placeOf } from "../state/place.ts";

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
