import { html } from "./html.ts";

const PATHS = {
  governor: "M12 3v18M12 5 5 13M12 5l7 8M8 21h8",
  out: "M12 19V5M6 11l6-6 6 6",
  in: "M12 5v14M6 13l6 6 6-6",
  action: "M5 12h14M13 6l6 6-6 6",
  alert: "M12 4 2.5 20h19L12 4ZM12 10v4M12 17v.5",
  hand: "M4 20c0-4 3.5-6 8-6s8 2 8 6M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z",
  link: "M4 12h4l2-6 4 12 2-6h4",
  good: "M5 12.5 10 17.5 19 7",
  quiet: "M6 12h12",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l5 5",
  back: "M15 5l-7 7 7 7",
  dark: "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z",
  light:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M5 19l1.5-1.5M17.5 6.5 19 5",
  system: "M3 5h18v11H3ZM8 20h8M12 16v4",
  services: "M4 4h7v7H4ZM13 4h7v7h-7ZM4 13h7v7H4ZM13 13h7v7h-7Z",
  timeline: "M4 6h3M4 12h3M4 18h3M11 6h9M11 12h9M11 18h9",
  nodes: "M4 4h16v6H4ZM4 14h16v6H4ZM8 7v.1M8 17v.1",
} as const;

export type IconName = keyof typeof PATHS;

/** Beside words that say the same: nothing that is read aloud. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return html`<svg class=${`icon icon-${name}`} width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name]} />
    ${name === "governor" && html`<circle cx="5" cy="15" r="2.6" /><circle cx="19" cy="15" r="2.6" />`}
  </svg>`;
}
