import { readPendingRoster } from "../../cluster/pending.ts";
import {
  publishPendingRoster,
  publishRoster,
  successor,
  type Signatures,
} from "../../cluster/publishing.ts";
import type { Cluster, Read } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { rosterFolder } from "../../formats/paths.ts";
import { encodeRoster, type Roster } from "../../formats/records/roster.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import { rosterDifferences } from "../../trust/roster-difference.ts";
import {
  judgeRoster,
  signaturesOwed,
  type TrustedRoots,
  type VerifiedRoster,
} from "../../trust/roster.ts";
import { listKeys } from "../../trust/signed.ts";
import type { Context } from "../context.ts";
import { reportWritten, warnOfClock } from "../report.ts";
import { chooseSigner, signRecord } from "../signing.ts";

/** What a change of the roster needs of the command line. */
export interface RosterChangeOptions {
  readonly signer: string | undefined;
}

/** Every key whose signature counts for a roster: those that are trusted here, and its own. */
export function rootsOf(trusted: TrustedRoots, roster: Roster): SignerKey[] {
  return [...new Set([...trusted.roots, ...roster.roots])].sort();
}

/**
 * After it, the roster that comes after `current` says what `change` gives, as far as one
 * signature goes: with a threshold above one it waits for the others.
 *
 * @param change - from the roster as it is to what is to be different; it is given the key that
 *   signs
 * @returns whether the roster counts already
 * @throws Failure `roster/pending` while another waits; `signer/…`, `usage/declined`,
 *   `generation/conflict`
 */
export async function changeRoster(
  context: Context,
  cluster: Cluster,
  current: Read<VerifiedRoster>,
  options: RosterChangeOptions,
  change: (roster: VerifiedRoster, signer: SignerKey) => Partial<Roster>,
): Promise<boolean> {
  await refusePending(cluster, current);
  const allowed = rootsOf(cluster.trusted, current.record);
  const { generation: last, issued } = current.record;
  warnOfClock(context, `roster ${String(last)} was issued`, issued);
  const generation = last + 1;
  const what = `roster ${String(generation)}`;
  const signer = await chooseSigner(context, allowed, options.signer, what);
  const roster: Roster = {
    ...current.record,
    ...successor(current, context.now),
    ...change(current.record, signer.signer),
  };
  showChange(context, current.record, roster);
  await context.confirm(`sign ${what} as ${fingerprint(signer.signer)}?`);
  const bytes = encodeRoster(roster);
  const signature = await signRecord(context, signer, "roster", bytes);
  return writeRoster(context, cluster, roster, bytes, new Map([[signer.signer, signature]]));
}

/** Nothing is taken from a roster that too few have signed, so that no key can slip a change in. */
async function refusePending(cluster: Cluster, current: Read<VerifiedRoster>): Promise<void> {
  const pending = await readPendingRoster(cluster, current);
  if (pending === undefined) return;
  const place = cluster.source.place(pending.folder);
  throw new Failure(
    "roster/pending",
    `roster ${String(pending.roster.generation)} waits for signatures: ${place}`,
  );
}

/** Prints all that `after` changes of `before`. */
export function showChange(context: Context, before: Roster | undefined, after: Roster): void {
  context.print(
    before === undefined
      ? `roster ${String(after.generation)}, the first:`
      : `roster ${String(before.generation)} → ${String(after.generation)}:`,
  );
  const differences = rosterDifferences(before, after);
  for (const line of differences) context.print(`  ${line}`);
  if (differences.length === 0) context.print("  nothing but its dates");
  context.print(`  stale after ${after.staleAfter}`);
}

/**
 * Writes a roster where it belongs: to be read if enough keys have signed, else to wait.
 *
 * @returns whether it counts
 */
export async function writeRoster(
  context: Context,
  { source, trusted, marks }: Cluster,
  roster: Roster,
  bytes: Uint8Array,
  signatures: Signatures,
): Promise<boolean> {
  const { generation } = roster;
  const owed = signaturesOwed(roster, trusted, [...signatures.keys()]);
  if (owed.count > 0) {
    const folder = await publishPendingRoster(source, generation, bytes, signatures);
    reportWritten(context, [source.place(folder)]);
    reportOwed(context, roster, owed);
    return false;
  }
  judgeRoster({ bytes, signatures: [...signatures.values()] }, trusted, generation);
  const folder = await publishRoster(source, generation, bytes, signatures);
  await marks.see(rosterFolder, { series: 0, generation }, bytes);
  reportWritten(context, [source.place(folder)]);
  return true;
}

/** Says who else has to sign a roster. */
export function reportOwed(
  context: Context,
  { generation }: Roster,
  { count, by }: ReturnType<typeof signaturesOwed>,
): void {
  context.print(
    `roster ${String(generation)} doesn't count before ${String(count)} more of ${listKeys(by)} signed it`,
  );
}
