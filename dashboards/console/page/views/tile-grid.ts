import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { AlertView } from "../../../../core/wire-alerts.ts";
import type { ServiceState } from "../state/world.ts";
import { html } from "./html.ts";
import { NONE_FIRING } from "./shared.ts";
import { Tile } from "./tile.ts";

/** As console.css has them, in pixels. */
const TILE = { height: 174, gap: 12, narrowest: 240 };
/** Above and below what is seen, so that scrolling and the tab key find something. */
const ROWS_BEYOND = 2;

interface Seen {
  readonly columns: number;
  readonly firstRow: number;
  readonly lastRow: number;
}

interface Properties {
  readonly services: readonly ServiceState[];
  readonly firing: ReadonlyMap<string, readonly AlertView[]>;
  readonly figuresAtMs: number | undefined;
}

/** Only the tiles that are seen are there, and only those are drawn: a thousand services cost as much as forty. */
export function TileGrid({ services, firing, figuresAtMs }: Properties) {
  const list = useRef<HTMLUListElement>(null);
  const [seen, setSeen] = useState<Seen>({ columns: 1, firstRow: 0, lastRow: 8 });
  useLayoutEffect(() => {
    const look = () => {
      if (list.current === null) return;
      const next = seenOf(list.current);
      setSeen((before) => (sameSeen(before, next) ? before : next));
    };
    look();
    const watcher = new ResizeObserver(look);
    if (list.current !== null) watcher.observe(list.current);
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      watcher.disconnect();
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, []);
  useEffect(() => {
    dispatchEvent(new Event("resize"));
  }, [services.length]);

  const rows = Math.ceil(services.length / seen.columns);
  const first = Math.max(0, Math.min(seen.firstRow, rows - 1)) * seen.columns;
  const last = (seen.lastRow + 1) * seen.columns;
  const step = TILE.height + TILE.gap;
  return html`<ul class="tiles" ref=${list} style=${{
    height: `${rows * step - TILE.gap}px`,
    paddingTop: `${(first / seen.columns) * step}px`,
    gridTemplateColumns: `repeat(${seen.columns}, minmax(0, 1fr))`,
  }}>
    ${services.slice(first, last).map(
      (service, index) => html`<${Tile} key=${service.view.id} service=${service}
        firing=${firing.get(service.view.id) ?? NONE_FIRING} isOld=${isOld(service, figuresAtMs)}
        position=${first + index + 1} count=${services.length} />`,
    )}
  </ul>`;
}

function seenOf(list: HTMLElement): Seen {
  const { top, width } = list.getBoundingClientRect();
  const columns = Math.max(1, Math.floor((width + TILE.gap) / (TILE.narrowest + TILE.gap)));
  const step = TILE.height + TILE.gap;
  const firstRow = Math.max(0, Math.floor(-top / step) - ROWS_BEYOND);
  const lastRow = Math.max(firstRow, Math.floor((innerHeight - top) / step) + ROWS_BEYOND);
  return { columns, firstRow, lastRow };
}

function sameSeen(a: Seen, b: Seen): boolean {
  return a.columns === b.columns && a.firstRow === b.firstRow && a.lastRow === b.lastRow;
}

const OLD_MS = 10_000;

/** Both by the clock of the daemon. */
function isOld({ view: { load, replicas } }: ServiceState, figuresAtMs: number | undefined): boolean {
  if (figuresAtMs === undefined || replicas.ready === 0) return false;
  return load.readAtMs !== undefined && figuresAtMs - load.readAtMs > OLD_MS;
}
