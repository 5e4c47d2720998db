import { z } from "zod";

/** `?limit=`: how many of a list. */
export const limit = z
  .string()
  .regex(/^\d{1,4}$/, "expected a whole number from 1 to 1000")
  .transform(Number)
  .pipe(z.int().min(1).max(1000))
  .prefault("50")
  .describe("how many at most, from 1 to 1000");

/** `:id` of a service. */
export const serviceParams = z.object({
  id: z.string().min(1).describe("of a service, as project_service"),
});
