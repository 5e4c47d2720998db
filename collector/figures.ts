import type { FigureName } from "./expose/own-families.ts";

/** What the parts tell of themselves on the collector's page, by the names that it has for them. */
export type Figures = Readonly<Partial<Record<FigureName, number>>>;
