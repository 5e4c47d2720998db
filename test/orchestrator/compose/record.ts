import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../core/errors.ts";
import { composeBinary } from "../../lab/engines.ts";
import { FIXTURES, FOLDERS, runCompose } from "./fixtures.ts";

/** Writes what docker compose prints for each case: `node test/orchestrator/compose/record.ts [case …]`. */
const binary = composeBinary();
if (binary === undefined) throw new Error("no docker compose: run `npm run lab -- up`");
const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : FOLDERS) {
  try {
    const result = await runCompose(binary, name);
    writeFileSync(join(FIXTURES, name, "expected.json"), `${JSON.stringify(result, null, 2)}\n`);
  } catch (error) {
    console.error(`${name}: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
