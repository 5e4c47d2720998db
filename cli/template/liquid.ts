import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { dirname, resolve } from "node:path";
import { Drop, Liquid, LiquidError } from "liquidjs";
import { FlyballError, messageOf } from "../../core/errors.ts";
import type { EndpointDirectory, EndpointSet } from "../../core/wire-endpoints.ts";

export interface Rendered {
  readonly text: string;
  /** Services that the template asks for and the daemon does not know, or knows several of. */
  readonly unknown: readonly string[];
}

/** As the API says it; each endpoint has its `address` beside it: `127.0.0.1:8080`, `[::1]:8080`. */
type TemplateService = ReturnType<typeof asTemplateService>;

function asTemplateService({ version: _version, endpoints, ...service }: EndpointSet) {
  return {
    ...service,
    endpoints: endpoints.map((endpoint) => {
      const { host, port } = endpoint;
      return { ...endpoint, address: isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}` };
    }),
  };
}

/**
 * The template file with what the daemon says of its services: `services`, all of them, and `service.NAME`, one by its
 * id or its name. A service that is not there has no endpoints, as one that has not come yet; anything else that the
 * template names and that does not exist is an error. The file and what it includes are read anew each time.
 * @throws FlyballError TEMPLATE_INVALID
 */
export function renderTemplate(file: string, directory: EndpointDirectory): Rendered {
  const services = directory.services.map(asTemplateService);
  const lookup = new ServiceLookup(services);
  return refusedAs(file, () => {
    const { liquid, template } = parse(file);
    const text: string = liquid.renderSync(template, { services, service: lookup });
    return { text, unknown: [...lookup.unknown] };
  });
}

/** Says before anything else that the file cannot be read as a template. @throws FlyballError TEMPLATE_INVALID */
export function checkTemplate(file: string): void {
  refusedAs(file, () => parse(file));
}

function parse(file: string) {
  const liquid = new Liquid({
    root: dirname(resolve(file)),
    relativeReference: false,
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
  });
  return { liquid, template: liquid.parse(readFileSync(file, "utf8"), file) };
}

function refusedAs<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const reason = LiquidError.is(error) ? messageOf(error) : `${file} cannot be read: ${messageOf(error)}`;
    throw new FlyballError("TEMPLATE_INVALID", reason, { cause: error });
  }
}

class ServiceLookup extends Drop {
  readonly unknown = new Set<string>();
  readonly #services: readonly TemplateService[];

  constructor(services: readonly TemplateService[]) {
    super();
    this.#services = services;
  }

  override liquidMethodMissing(key: string | number): TemplateService {
    const word = String(key);
    const named = this.#services.filter(({ name }) => name === word);
    const found =
      this.#services.find(({ service }) => service === word) ?? (named.length === 1 ? named[0] : undefined);
    if (found !== undefined) return found;
    this.unknown.add(word);
    return { service: word, project: "", name: word, businessLabels: {}, endpoints: [] };
  }
}
