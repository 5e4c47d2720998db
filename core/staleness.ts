import { SECOND_MS } from "./units.ts";

/** A reading older than this says nothing about now: five samples missed. */
export const STALE_AFTER_MS = 5 * SECOND_MS;
