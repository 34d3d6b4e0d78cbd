import type { UnitFacts } from "../host/systemd/systemd.ts";

/** How a unit's commands come to their secrets. */
export type Way = "agent" | "in place";

/** How a unit's commands come to their secrets; undefined if they have none of Sealaunch. */
export function wayOf({ commands }: Pick<UnitFacts, "commands">): Way | undefined {
  const ours = commands.map(({ words }) => words).filter(isOurs);
  if (ours.length === 0) return undefined;
  return ours.some(isInPlace) ? "in place" : "agent";
}

function isOurs([program = "", verb = ""]: readonly string[]): boolean {
  return program.endsWith("/sealaunch") && ["run", "check"].includes(verb);
}

function isInPlace(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? undefined : end).includes("--in-place");
}
