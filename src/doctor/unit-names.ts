import { nameKinds } from "../formats/names.ts";
import { Failure } from "../failure.ts";

/**
 * The name of the service that somebody means: `dns` is `dns.service`, as for systemctl(1).
 *
 * @throws Failure `usage/bad-name`
 */
export function parseService(text: string): string {
  const unit = /\.[a-z]+$/u.test(text) ? text : `${text}.service`;
  if (nameKinds.unit.is(unit) && unit.endsWith(".service") && !unit.endsWith("@.service")) {
    return unit;
  }
  throw new Failure(
    "usage/bad-name",
    `${JSON.stringify(text.slice(0, 100))} is no service`,
    "name a service such as dns.service, or web@1.service of a template",
  );
}
