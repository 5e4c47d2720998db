import { mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import type { FlyballHouse } from "../integration/flyball-daemon.ts";

/** The process engine writes down each step that it takes: strikes when so many changes of its records were seen. */
export function atRecordStep(house: FlyballHouse, step: number, strike: () => void): Disposable {
  const directory = join(house.dataDirectory, "process");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let seen = 0;
  const watcher = watch(directory, () => {
    seen += 1;
    if (seen === step) strike();
  });
  return { [Symbol.dispose]: () => watcher.close() };
}
