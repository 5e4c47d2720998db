import { type ContainerReading, USE_FAMILIES } from "./container-families.ts";
import type { Family } from "./family.ts";
import { HOST_FAMILIES } from "./host-families.ts";
import { IO_FAMILIES } from "./io-families.ts";
import { OWN_FAMILIES } from "./own-families.ts";

/** Families of one container each, and of the machine as `id="/"`. */
export const CONTAINER_FAMILIES: readonly Family<ContainerReading>[] = [...USE_FAMILIES, ...IO_FAMILIES];

export { HOST_FAMILIES, OWN_FAMILIES };

/** Every family of the page, without where its values come from. */
export type FamilyDescription = Pick<Family<never>, "name" | "type" | "unit" | "help" | "labels">;

/** THE table: what is on the page, in the documentation and in the tests. */
export const FAMILIES: readonly FamilyDescription[] = [
  ...CONTAINER_FAMILIES,
  ...HOST_FAMILIES,
  ...OWN_FAMILIES,
];
