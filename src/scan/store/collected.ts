import { Failure } from "../../failure.ts";

/** What a machine has printed, by section (host/collecting.ts). */
export interface Collected {
  /** The lines of a section; none if it is empty. */
  readonly lines: (section: string) => readonly string[];
  /** What was not to be had there. */
  readonly missing: readonly string[];
  /** What `nix-store --dump-db` said. */
  readonly dump: string;
}

/**
 * The sections of what the collecting script printed. It may come from a machine that lies.
 *
 * @param text - Latin 1
 * @param what - names the machine
 * @throws Failure `inventory/malformed` if it didn't come to its end
 */
export function readCollected(text: string, what: string): Collected {
  const begin = text.indexOf("\n== store\n");
  const head = text.slice(0, begin + 1);
  const dump = text.slice(begin + "\n== store\n".length);
  if (begin === -1 || !(dump === "== end\n" || dump.endsWith("\n== end\n"))) {
    throw new Failure("inventory/malformed", `what ${what} says of its store is cut short`);
  }
  const sections = new Map<string, string[]>();
  const missing = new Set<string>();
  let into: string[] | undefined;
  for (const line of head.split("\n")) {
    const [, title] = /^== ([a-z-]+)$/u.exec(line) ?? [];
    const [, lacked] = /^== missing ([a-z]+)$/u.exec(line) ?? [];
    if (lacked !== undefined) missing.add(lacked);
    else if (title === "end") into = undefined;
    else if (title !== undefined) {
      into = [];
      sections.set(title, into);
    } else into?.push(line);
  }
  return {
    lines: (section) => sections.get(section) ?? [],
    missing: [...missing].sort(),
    dump: dump.slice(0, -"== end\n".length),
  };
}
