import { Failure } from "../failure.ts";
import type { VerifiedPool } from "./pool.ts";
import type { VerifiedRoster } from "./roster.ts";
import { describeGeneration, type VerifiedStatement } from "./statement.ts";

/** What is asked about dates. */
export interface Dates {
  readonly now: Date;
  /** What ends up to then is told; nothing if undefined. */
  readonly until: Date | undefined;
  /** A value that was sealed before is told; none if undefined. */
  readonly sealedBefore: Date | undefined;
}

/** That something ends by the date that is asked about; what is over already is another's to say. */
function soon(time: string | null, what: string, { now, until }: Dates, hint?: string): Failure[] {
  if (time === null || until === undefined) return [];
  const end = Date.parse(time);
  if (end <= now.getTime() || end > until.getTime()) return [];
  return [new Failure("date/ends-soon", `${what} ${time}`, hint)];
}

/** What of the roster ends soon: itself, and the time of its signers. */
export function rosterDates(roster: VerifiedRoster, dates: Dates): Failure[] {
  const what = `roster ${String(roster.generation)} is stale from`;
  return [
    ...soon(roster.staleAfter, what, dates, "sealaunch roster sign --renew"),
    ...roster.signers.flatMap(({ name, names, expires }) =>
      soon(
        expires,
        `signer ${name}, who signs ${names.join(", ")}, ends`,
        dates,
        `renew it with 'sealaunch roster add-signer ${name}'; what only ${name} signed starts no more then`,
      ),
    ),
  ];
}

/** Whether a pool file is stale soon. */
export function poolDates({ pool, generation, staleAfter }: VerifiedPool, dates: Dates): Failure[] {
  const what = `pool file ${pool} ${String(generation)} is stale from`;
  return soon(staleAfter, what, dates, `sealaunch roster sign --renew --pool ${pool}`);
}

/** Whether a bundle expires soon, and which of its values are old. */
export function statementDates(statement: VerifiedStatement, dates: Dates): Failure[] {
  const { name, expires, credentials } = statement;
  const what = `bundle ${name} ${describeGeneration(statement)}`;
  const before = dates.sealedBefore?.getTime() ?? 0;
  return [
    ...soon(expires, `${what} expires`, dates, `sealaunch seal ${name} --expires TIME`),
    ...credentials
      .filter(({ sealed }) => Date.parse(sealed) < before)
      .map(
        (credential) =>
          new Failure(
            "date/old-value",
            `credential ${credential.name} of ${what} was sealed ${credential.sealed}`,
            `sealaunch seal ${name} ${credential.name}`,
          ),
      ),
  ];
}
