import { Failure } from "../failure.ts";

// The one grammar of names (docs/bundle-format.md §2), checked before a path or a key is built.
const segment = "[a-z0-9][a-z0-9._-]*";
const credential = "[a-zA-Z0-9][a-zA-Z0-9._-]*";
const maxNameSize = 128;

// Folders in a source hold `values`, `signatures`, generations and hashes beside names, so that no
// segment of a name may look like one of them.
const reserved = /(?:^|\/)(?:values|signatures|[0-9]+\.[0-9]+|[0-9a-f]{64})(?:\/|$)/u;

function grammar(pattern: string): (text: string) => boolean {
  const exact = new RegExp(`^(?:${pattern})$`, "u");
  return (text) => text.length <= maxNameSize && exact.test(text);
}

const isSegment = grammar(segment);
const isSegments = grammar(`${segment}(?:/${segment})*`);
const isCredential = grammar(credential);
const isScope = grammar(`${segment}(?:/${segment})*/?`);
// Not beginning with a dash: programs would take it for an option.
const isUnit = grammar("(?!-)[a-zA-Z0-9:_.\\\\-]+(?:@[a-zA-Z0-9:_.\\\\-]*)?");

const isBundle = (text: string): boolean => isSegments(text) && !reserved.test(text);

/** What a name can be of. Pools, nodes and signers have one segment, bundles several. */
export const nameKinds = {
  bundle: { is: isBundle, form: "segments of a-z 0-9 . _ - joined by '/'" },
  pool: { is: isSegment, form: "a-z 0-9 . _ -" },
  node: { is: isSegment, form: "a-z 0-9 . _ -" },
  signer: { is: isSegment, form: "a-z 0-9 . _ -" },
  operator: { is: isSegment, form: "a-z 0-9 . _ -" },
  credential: { is: isCredential, form: "a-z A-Z 0-9 . _ -" },
  scope: { is: isScope, form: "a bundle's name, or a prefix that ends in '/'" },
  unit: { is: isUnit, form: "a unit's name such as dns.service, or NAME@ for its instances" },
} as const;

export type NameKind = keyof typeof nameKinds;

/**
 * `text`, if it is a name of that kind.
 *
 * @throws Failure `usage/bad-name`
 */
export function parseName(kind: NameKind, text: string): string {
  if (nameKinds[kind].is(text)) return text;
  throw new Failure(
    "usage/bad-name",
    `${kind} name ${JSON.stringify(text.slice(0, maxNameSize + 1))} is not ${nameKinds[kind].form}, beginning with a letter or digit, of at most ${String(maxNameSize)} bytes`,
  );
}

/** Whether a signer's scope, an exact name or a `prefix/`, holds a bundle's name. */
export function scopeHolds(scope: string, bundle: string): boolean {
  return scope.endsWith("/") ? bundle.startsWith(scope) : bundle === scope;
}

/** Whether a statement's unit, an exact name or `name@` for every instance, is `unit`. */
export function unitMatches(allowed: string, unit: string): boolean {
  return allowed.endsWith("@") ? unit.startsWith(allowed) : unit === allowed;
}
