import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { OpenApiDocument } from "../../api/openapi/document.ts";

const SCHEMAS = "/schemas";

type Part = Readonly<Record<string, unknown>>;

/** Holds answers against what the document promises of them. */
export class DeclaredAnswers {
  readonly #document: OpenApiDocument;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #ajv: Ajv2020;

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    this.#ajv.addSchema({ $id: SCHEMAS, $defs: nothingMore(document.components["schemas"]) });
  }

  /** Every operation, as `GET /v1/services/{id}`. */
  get operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /**
   * The answer's status, type and every field of it must be in the document.
   *
   * @param operation as in `operations`
   */
  async assertDeclared(operation: string, answer: Response): Promise<void> {
    const [method = "", path = ""] = operation.split(" ");
    const about = `${operation} answered ${answer.status}`;
    const declared = this.#document.paths[path]?.[method.toLowerCase()];
    assert.ok(declared !== undefined, `${operation} is not in the document`);
    const { responses } = declared;
    const response = this.#followed(responses[answer.status] ?? responses["default"]);
    const type = answer.headers.get("content-type")?.split(";", 1)[0] ?? "";
    const content = (response["content"] as Part | undefined)?.[type] as { schema: Part } | undefined;
    assert.ok(content !== undefined, `${about} with ${type}, which is not declared`);
    const text = await answer.text();
    if (!type.endsWith("json")) return;
    const validate = this.#validator(String(content.schema["$ref"]));
    assert.ok(validate(JSON.parse(text)), `${about}: ${this.#ajv.errorsText(validate.errors)}\n${text}`);
  }

  #followed(part: unknown): Part {
    const reference = (part as Part | undefined)?.["$ref"];
    if (typeof reference !== "string") return part as Part;
    return reference
      .slice("#/".length)
      .split("/")
      .reduce<unknown>((found, key) => (found as Part)[key], this.#document) as Part;
  }

  #validator(reference: string): ValidateFunction {
    const $ref = `${SCHEMAS}${reference.replace("#/components/schemas/", "#/$defs/")}`;
    const validate = this.#validators.get($ref) ?? this.#ajv.compile({ $ref });
    this.#validators.set($ref, validate);
    return validate;
  }
}

/** A field that is not declared is one that nobody can know of. */
function nothingMore(schemas: unknown): Part {
  const text = JSON.stringify(schemas).replaceAll("#/components/schemas/", "#/$defs/");
  return JSON.parse(text, (_key, value: unknown) => {
    const isOpen =
      typeof value === "object" &&
      value !== null &&
      "properties" in value &&
      "type" in value &&
      !("additionalProperties" in value);
    return isOpen ? { ...value, additionalProperties: false } : value;
  }) as Part;
}
