import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Routes } from "../../../traffic/proxy/routes.ts";

const routes = new Routes([
  { path: "/", backend: "rest" },
  { path: "/docs", backend: "docs" },
  { domain: "shop.example", path: "/", backend: "shop" },
  { domain: "shop.example", path: "/api/", backend: "api" },
  { domain: "shop.example", path: "/api/v2", backend: "v2" },
  { domain: "only.example", path: "/here", backend: "here" },
]);

describe("where a request goes", () => {
  const cases: readonly (readonly [string | undefined, string, string | undefined])[] = [
    ["shop.example", "/", "shop"],
    ["shop.example:8080", "/cart?id=/api/", "shop"],
    ["SHOP.example", "/api", "api"],
    ["shop.example", "/api?x", "api"],
    ["shop.example", "/api/v2/items", "v2"],
    ["shop.example", "/api/v20", "api"],
    ["shop.example", "/apiary", "shop"],
    ["shop.example", "http://shop.example/api/x", "api"],
    ["shop.example", "*", "shop"],
    ["only.example", "/here/x", "here"],
    ["only.example", "/docs/x", "docs"],
    ["other.example", "/", "rest"],
    [undefined, "/docs", "docs"],
  ];
  for (const [host, target, backend] of cases) {
    test(`${host} ${target}: ${backend}`, () => {
      assert.equal(routes.backendOf(host, target), backend);
    });
  }

  test("is nowhere where nobody claims it", () => {
    const own = new Routes([{ domain: "shop.example", path: "/api", backend: "api" }]);
    assert.equal(own.backendOf("shop.example", "/"), undefined);
    assert.equal(own.backendOf("other.example", "/api"), undefined);
  });
});
