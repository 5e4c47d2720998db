import { z } from "zod";
import { HEARD, SAID } from "./schema-names.ts";

/** JSON Schema of the draft 2020-12, which is that of OpenAPI 3.1. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

export interface Reference {
  readonly $ref: string;
}

type Direction = "input" | "output";

/** The schemas that have a name, and how to point at one. */
export class Components {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly #names: ReadonlyMap<z.ZodType, string>;

  constructor() {
    this.schemas = { ...described(SAID, "output"), ...described(HEARD, "input") };
    this.#names = new Map(
      [...Object.entries(SAID), ...Object.entries(HEARD)].map(([name, schema]) => [schema, name]),
    );
  }

  /** @throws Error for a schema that has no name: `schema-names.ts` is to give it one */
  pointAt(schema: z.ZodType): Reference {
    const name = this.#names.get(schema);
    if (name === undefined) throw new Error("expected every body and answer in schema-names.ts");
    return { $ref: placeOf(name) };
  }
}

/** As it is heard, before anything has read it. */
export function heardSchema(schema: z.ZodType): JsonSchema {
  return bare(z.toJSONSchema(schema, { io: "input", override: asAnybodyReads }));
}

function described(named: Readonly<Record<string, z.ZodType>>, io: Direction): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: placeOf,
    override: (context) => {
      asAnybodyReads(context);
      // A field more in an answer is no break: a program that was made from the document must let it pass.
      if (io === "output" && context.jsonSchema.additionalProperties === false) {
        delete context.jsonSchema.additionalProperties;
      }
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]));
}

function placeOf(name: string): string {
  return `#/components/schemas/${name}`;
}

/** To zod a list is read-only in TypeScript; in OpenAPI it would be one that may not be sent. */
function asAnybodyReads({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  delete jsonSchema.readOnly;
}

function bare(schema: JsonSchema): JsonSchema {
  const { $schema: _dialect, $id: _id, "~standard": _standard, ...rest } = schema;
  return rest;
}
