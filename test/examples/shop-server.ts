import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";

export const SHOP = resolve(import.meta.dirname, "../../examples/shop");
export const SHOP_SERVER = join(SHOP, "web.ts");

/** The shop on a free port of its own, until the test ends; `ended` resolves with its exit status and signal. */
export async function startShop(t: TestContext) {
  const shop = spawn(process.execPath, [SHOP_SERVER], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(shop, "exit");
  t.after(async () => {
    shop.kill("SIGKILL");
    await ended;
  });
  const [line] = await once(shop.stdout, "data");
  return { shop, ended, port: Number(/port (\d+)/.exec(String(line))?.[1]) };
}
