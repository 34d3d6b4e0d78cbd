import { Failure } from "../../failure.ts";
import { inOrder, type StatementChoice } from "../../cluster/sealing.ts";
import { parseName } from "../../formats/names.ts";
import type { StatementCredential } from "../../formats/records/statement.ts";
import { maxUnitAndCredential } from "../../service/delivery.ts";
import { parseExpiry } from "../expiry.ts";
import type { Replaced, StatementBase } from "./earlier.ts";
import type { ElsewhereOptions } from "./elsewhere.ts";
import type { ValueOptions } from "./values.ts";

/** What `seal` is asked for, as the command line gives it. */
export interface SealOptions extends ValueOptions {
  /** The whole audience; that of the newest generation if none is given. */
  readonly pools: readonly string[];
  readonly units: readonly string[];
  readonly removeUnits: readonly string[];
  readonly inPlace: boolean | undefined;
  readonly remove: readonly string[];
  readonly expires: string | undefined;
  /** The generation whose values are taken; the newest if undefined. */
  readonly fromGeneration: string | undefined;
  /** Another cluster, whose bundle of that name is sealed here. */
  readonly fromCluster: ElsewhereOptions | undefined;
  /** The revision of git whose newest generation is joined with the one here. */
  readonly merge: string | undefined;
  readonly signer: string | undefined;
  /** Whether it goes into the Nix store too. */
  readonly isStored?: boolean;
  readonly replaces?: Replaced;
}

/**
 * What the next statement says of who may have the bundle: as before, but for what was asked.
 *
 * @throws Failure `usage/invalid` if the bundle is new and no pool is given; `usage/bad-name`
 */
export function choose(
  bundle: string,
  options: SealOptions,
  now: Date,
  before: StatementBase | undefined,
): StatementChoice {
  const audience = options.pools.length > 0 ? inOrder(options.pools) : before?.audience;
  if (audience === undefined) {
    throw new Failure(
      "usage/invalid",
      `bundle ${bundle} is new, and needs at least one --pool`,
      `sealaunch seal ${bundle} … --pool POOL`,
    );
  }
  for (const pool of audience) parseName("pool", pool);
  for (const unit of [...options.units, ...options.removeUnits]) parseName("unit", unit);
  const units = inOrder([...(before?.units ?? []), ...options.units]);
  return {
    audience,
    units: units.filter((unit) => !options.removeUnits.includes(unit)),
    inPlace: options.inPlace ?? before?.inPlace ?? false,
    expires:
      options.expires === undefined ? (before?.expires ?? null) : parseExpiry(options.expires, now),
  };
}

/**
 * The credentials that stay as they are. Their values can't be read here, and needn't be.
 *
 * @param given - the credentials that are sealed anew
 * @throws Failure `bundle/values-needed` if the audience changes: it stands within each payload;
 *   `credential/missing` if one to be removed isn't there; `usage/invalid` if nothing is left
 */
export function keepCredentials(
  bundle: string,
  { audience }: StatementChoice,
  remove: readonly string[],
  given: readonly string[],
  before: StatementBase | undefined,
): StatementCredential[] {
  const present = before?.credentials ?? [];
  const absent = remove.find((name) => present.every((credential) => credential.name !== name));
  if (absent !== undefined) {
    throw new Failure(
      "credential/missing",
      `bundle ${bundle} has no credential ${absent} to remove`,
    );
  }
  const kept = present.filter(({ name }) => !remove.includes(name) && !given.includes(name));
  if (kept.length + given.length === 0) {
    throw new Failure(
      "usage/invalid",
      `bundle ${bundle} would have no credential`,
      `sealaunch seal ${bundle} CREDENTIAL=FILE`,
    );
  }
  if (kept.length > 0 && before?.audience.join() !== audience.join()) {
    const names = kept.map(({ name }) => name);
    throw new Failure(
      "bundle/values-needed",
      `the audience of ${bundle} changes from ${before?.audience.join(", ") ?? "none"} to ${audience.join(", ")}, which needs the values of ${names.join(", ")} too`,
      `sealaunch seal ${bundle} ${names.map((name) => `${name}=FILE`).join(" ")} …`,
    );
  }
  return kept;
}

/** @throws Failure `usage/bad-name` if a unit could never be given one of the credentials */
export function checkUnitNames(
  units: readonly string[],
  credentials: readonly StatementCredential[],
): void {
  for (const unit of units) {
    for (const { name } of credentials) {
      if (unit.length + name.length <= maxUnitAndCredential) continue;
      throw new Failure(
        "usage/bad-name",
        `unit ${unit} and credential ${name} have together more than ${String(maxUnitAndCredential)} bytes, which systemd can't deliver`,
        "shorten the credential's name",
      );
    }
  }
}
