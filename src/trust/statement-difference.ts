import type { Statement } from "../formats/records/statement.ts";

/** A statement, and who could open it. */
export interface Readable {
  readonly statement: Statement;
  /** `node n1 in pool web`, `operator ops`. */
  readonly readers: readonly string[];
}

/** What changed of a bundle, a line each: `+` what is new, `-` what is gone, both for what is different. */
export function statementDifferences(before: Readable | undefined, after: Readable): string[] {
  const old = before === undefined ? [] : describe(before);
  const current = describe(after);
  return [
    ...old.filter((line) => !current.includes(line)).map((line) => `- ${line}`),
    ...current.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}

function describe({ statement, readers }: Readable): string[] {
  return [
    ...statement.audience.map((pool) => `for pool ${pool}`),
    ...statement.units.map((unit) => `may ask ${unit}`),
    ...(statement.inPlace ? ["may be opened in place"] : []),
    ...(statement.expires === null ? [] : [`expires ${statement.expires}`]),
    ...statement.credentials.map(
      ({ name, sealed, payload }) =>
        `credential ${name}, sealed ${sealed} (${payload.slice(0, 16)}…)`,
    ),
    ...readers.map((reader) => `could open ${reader}`),
  ];
}
