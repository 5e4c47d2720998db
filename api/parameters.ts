import { z } from "zod";

/** `?limit=`: how many of a list. */
export const limit = z
  .string()
  .regex(/^\d{1,4}$/, "expected a whole number from 1 to 1000")
  .transform(Number)
  .pipe(z.int().min(1).max(1000))
  .default(50);
