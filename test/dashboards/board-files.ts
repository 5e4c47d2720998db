import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const FOLDER = join(import.meta.dirname, "../../dashboards/grafana");

const datasourceSchema = z.object({ type: z.string(), uid: z.string() });

const panelSchema = z.object({
  id: z.number(),
  type: z.string(),
  title: z.string(),
  description: z.string().optional(),
  datasource: datasourceSchema.optional(),
  gridPos: z.object({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string().optional() }) }).optional(),
  targets: z
    .array(
      z.object({
        refId: z.string(),
        expr: z.string(),
        instant: z.boolean(),
        datasource: datasourceSchema,
      }),
    )
    .default([]),
});

const variableSchema = z.object({ name: z.string(), type: z.string(), query: z.string() });

const boardSchema = z.object({
  id: z.null(),
  uid: z.string(),
  title: z.string(),
  description: z.string(),
  schemaVersion: z.number(),
  panels: z.array(panelSchema),
  templating: z.object({ list: z.array(variableSchema) }),
  annotations: z.object({ list: z.array(z.object({ name: z.string(), expr: z.string() })) }),
});

export type Board = z.infer<typeof boardSchema>;
export type Panel = z.infer<typeof panelSchema>;

/** The boards as they are committed, by the name of their file. */
export function committedBoards(): Map<string, Board> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return new Map(
    names.map((name) => [name, boardSchema.parse(JSON.parse(readFileSync(join(FOLDER, name), "utf8")))]),
  );
}

/** Those that show something; the others are headings. */
export function shownPanels({ panels }: Board): Panel[] {
  return panels.filter(({ type }) => type !== "row");
}
