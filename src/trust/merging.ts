import type { Statement, StatementCredential } from "../formats/records/statement.ts";

/** What a statement says that two authors may have changed. */
export type Contents = Pick<
  Statement,
  "audience" | "units" | "inPlace" | "expires" | "credentials"
>;

/** What two authors' changes of one statement come to. */
export interface Merged {
  readonly contents: Contents;
  /** The credentials that both have changed, each otherwise; `contents` has one side's. */
  readonly undecided: readonly string[];
}

/**
 * Both authors' changes of `base`, without a value being read. The audience is that of `ours`,
 * which the caller has compared: values are sealed for one.
 *
 * @param base - undefined if both began the bundle
 */
export function mergeContents(
  base: Contents | undefined,
  ours: Contents,
  theirs: Contents,
): Merged {
  const names = [...ours.credentials, ...theirs.credentials].map(({ name }) => name);
  const undecided: string[] = [];
  const credentials = [...new Set(names)].sort().flatMap((name) => {
    const was = named(base, name);
    const [our, their] = [named(ours, name), named(theirs, name)];
    if (isSame(our, their) || isSame(their, was)) return our ?? [];
    if (isSame(our, was)) return their ?? [];
    undecided.push(name);
    return our ?? their ?? [];
  });
  const contents = {
    audience: ours.audience,
    units: mergeNames(base?.units ?? [], ours.units, theirs.units),
    inPlace: ours.inPlace === (base?.inPlace ?? false) ? theirs.inPlace : ours.inPlace,
    expires: mergeTimes(base?.expires ?? null, ours.expires, theirs.expires),
    credentials,
  };
  return { contents, undecided };
}

function named(contents: Contents | undefined, name: string): StatementCredential | undefined {
  return contents?.credentials.find((credential) => credential.name === name);
}

function isSame(a: StatementCredential | undefined, b: StatementCredential | undefined): boolean {
  return a?.payload === b?.payload;
}

function mergeNames(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): string[] {
  const isKept = (name: string): boolean =>
    base.includes(name) ? ours.includes(name) && theirs.includes(name) : true;
  return [...new Set([...ours, ...theirs])].filter(isKept).sort();
}

/** Where both have changed it, the earlier: nothing lives longer than one of them has signed. */
function mergeTimes(
  base: string | null,
  ours: string | null,
  theirs: string | null,
): string | null {
  if (ours === base) return theirs;
  if (theirs === base || ours === theirs) return ours;
  if (ours === null || theirs === null) return ours ?? theirs;
  return ours < theirs ? ours : theirs;
}
