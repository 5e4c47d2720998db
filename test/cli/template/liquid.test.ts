import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { renderTemplate } from "../../../cli/template/liquid.ts";
import type { EndpointDirectory } from "../../../core/wire-endpoints.ts";
import { directoryOf, Folder } from "./directory.ts";

const EXAMPLE = join(import.meta.dirname, "../../../examples/nginx/nginx.conf.liquid");

function render(template: string, directory: EndpointDirectory) {
  using folder = new Folder();
  return renderTemplate(folder.write("t", template), directory);
}

describe("a template", () => {
  test("has every service with its endpoints, addresses and business labels", () => {
    const text = `{% for service in services %}{{ service.service }} {{ service.businessLabels.team }}:
{%- for endpoint in service.endpoints %} {{ endpoint.slot }}={{ endpoint.host }}:{{ endpoint.port }}>{{ endpoint.targetPort }}{% endfor %};{% endfor %}`;
    assert.equal(
      render(text, directoryOf({ shop_web: [81, 82], shop_db: [] })).text,
      "shop_web checkout: 1=10.0.0.1:81>8080 2=10.0.0.1:82>8080;shop_db checkout:;",
    );
  });

  test("finds a service by its name or its id, and picks endpoints by their port", () => {
    const directory = directoryOf({ "shop_my-web": [81] });
    const text =
      '{{ service.my-web.endpoints[0].port }} {{ service["shop_my-web"].endpoints.size }} {{ service.my-web.endpoints | where: "targetPort", 9100 | size }}';
    assert.deepEqual(render(text, directory), { text: "81 1 0", unknown: [] });
  });

  test("writes an address of version 6 as programs read it", () => {
    const [web] = directoryOf({ shop_web: [81] }).services;
    assert.ok(web !== undefined);
    const endpoints = web.endpoints.map((endpoint) => ({ ...endpoint, host: "fd00::1" }));
    const directory = { version: 1, services: [{ ...web, endpoints }] };
    assert.equal(render("{{ service.web.endpoints[0].address }}", directory).text, "[fd00::1]:81");
  });

  test("takes a service that is not there for one without endpoints, and says so", () => {
    const text = "{% if service.wep.endpoints.size > 0 %}some{% else %}none{% endif %}";
    assert.deepEqual(render(text, directoryOf({ shop_web: [81] })), { text: "none", unknown: ["wep"] });
  });

  test("takes none of several services with one name", () => {
    const directory = directoryOf({ shop_web: [81], blog_web: [82] });
    assert.deepEqual(render("{{ service.web.endpoints.size }}", directory), { text: "0", unknown: ["web"] });
    assert.equal(render("{{ service.blog_web.endpoints[0].port }}", directory).text, "82");
  });

  test("changes nothing of a value on the way", () => {
    const [web] = directoryOf({ shop_web: [81] }).services;
    assert.ok(web !== undefined);
    const directory = { version: 1, services: [{ ...web, businessLabels: { team: "a<b> & 'c'" } }] };
    assert.equal(render("{{ service.web.businessLabels.team }}", directory).text, "a<b> & 'c'");
  });

  for (const [text, message] of [
    ["{{ servces }}", /undefined variable: servces, .*line:1, col:4/],
    [
      "\n{% for endpoint in service.web.endpoints %}{{ endpoint.adress }}{% endfor %}",
      /endpoint\.adress, .*line:2/,
    ],
    ["{% if x", /not closed/],
    ["{{ services | first_of }}", /undefined filter: first_of/],
    ["{% include 'other' %}", /ENOENT/],
  ] as const) {
    test(`with a mistake is refused with its place: ${JSON.stringify(text)}`, () => {
      assert.throws(() => render(text, directoryOf({ shop_web: [81] })), {
        code: "TEMPLATE_INVALID",
        message,
      });
    });
  }

  test("that is not there is refused with its name", () => {
    assert.throws(() => renderTemplate("/nowhere/t", directoryOf({})), {
      code: "TEMPLATE_INVALID",
      message: /^\/nowhere\/t cannot be read: ENOENT/,
    });
  });

  test("may include files beside it, which are read anew each time", () => {
    using folder = new Folder();
    const file = folder.write("t", "{% include 'part' %}");
    folder.write("part", "one {{ services.size }}");
    assert.equal(renderTemplate(file, directoryOf({})).text, "one 0");
    folder.write("part", "two");
    assert.equal(renderTemplate(file, directoryOf({})).text, "two");
  });
});

test("the example for nginx has an upstream with every replica, or answers 503 without any", () => {
  const some = renderTemplate(EXAMPLE, directoryOf({ shop_web: [81, 82] })).text;
  assert.match(
    some,
    /upstream web \{\n {4}server 10\.0\.0\.1:81;\n {4}server 10\.0\.0\.1:82;\n {4}keepalive 32;\n/,
  );
  assert.doesNotMatch(some, /return 503/);
  for (const directory of [directoryOf({ shop_web: [] }), directoryOf({})]) {
    const none = renderTemplate(EXAMPLE, directory).text;
    assert.match(none, /return 503;/);
    assert.doesNotMatch(none, /upstream|proxy_pass/);
  }
});
