import { z } from "zod";

/** The description itself; the rest of it is as OpenAPI has it. */
export const openApiSchema = z.looseObject({ openapi: z.literal("3.1.0") });
