import { FlyballError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

interface NamedService {
  readonly id: string;
  readonly name: string;
}

/**
 * The id of the service a person means: `project_service` in full, or `service` where only one project has it.
 * @throws FlyballError NOT_FOUND that names the nearest, REQUEST_INVALID that names every service it could mean
 */
export function resolveService(word: string, services: readonly NamedService[]): string {
  if (services.some(({ id }) => id === word)) return word;
  const matches = services.filter(({ name }) => name === word).map(({ id }) => id);
  const [only, ...others] = matches;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new FlyballError(
      "REQUEST_INVALID",
      `${word} could mean ${matches.join(" or ")}: expected one of them`,
    );
  }
  const meant = nearest(
    word,
    services.flatMap(({ id, name }) => [name, id]),
  );
  const hint = meant === undefined ? "flyball ps shows those there are" : `did you mean ${meant}?`;
  throw new FlyballError("NOT_FOUND", `there is no service ${word}: ${hint}`);
}
