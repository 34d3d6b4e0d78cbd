import { recipientId } from "../crypto/recipient.ts";
import type { Roster } from "../formats/records/roster.ts";
import { fingerprint } from "../formats/sshsig/public-key.ts";
import { listKeys } from "./signed.ts";

/**
 * What a roster changes of the one before it, a line each: `+` what is new, `-` what is gone, both
 * for what is different. All of it, so that who signs sees what he signs.
 *
 * @param before - undefined for a cluster's first roster, all of which is new
 */
export function rosterDifferences(before: Roster | undefined, after: Roster): string[] {
  const old = before === undefined ? new Set<string>() : new Set(describeRoster(before));
  const current = describeRoster(after);
  const gone = [...old].filter((line) => !current.includes(line));
  const added = current.filter((line) => !old.has(line));
  return [...gone.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)];
}

/** Everything that a roster says, but for its generation and dates, a line each. */
function describeRoster(roster: Roster): string[] {
  return [
    `${String(roster.threshold)} of the root keys must sign`,
    ...roster.roots.map((root) => `root ${fingerprint(root)}`),
    ...roster.pools.map(({ name, managers }) => `pool ${name}, managed by ${listKeys(managers)}`),
    ...roster.signers.map(
      ({ name, signer, names, expires }) =>
        `signer ${name} (${fingerprint(signer)}) for ${names.join(", ")}, ${expires === null ? "without end" : `until ${expires}`}`,
    ),
    ...roster.operators.map(
      ({ name, recipient }) => `operator ${name} (recipient ${recipientId(recipient)})`,
    ),
    ...roster.names.map(
      ({ name, series, minimum }) =>
        `bundle ${name}: series ${String(series)}, generation ${String(minimum)} at least`,
    ),
  ];
}
