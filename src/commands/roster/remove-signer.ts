import { listBundles } from "../../cluster/bundles.ts";
import { readRoster, readStatement, type Cluster } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { reportNext } from "../report.ts";
import { openToSign } from "../repository.ts";
import { changeRoster, type RosterChangeOptions } from "./change.ts";

/** How a signer is removed. */
export interface RemoveSignerOptions extends RosterChangeOptions {
  /** Whether what only he signed is to start no more. */
  readonly revoke: boolean;
}

/**
 * A roster without the signer. What others signed too goes on counting.
 *
 * @throws Failure `signer/needed` if he alone signed the newest of a bundle and it isn't to be
 *   revoked; `signer/unknown`, and as `changeRoster` does
 */
export async function removeSigner(
  context: Context,
  name: string,
  options: RemoveSignerOptions,
): Promise<void> {
  const cluster = await openToSign(context);
  const current = await readRoster(cluster);
  const { generation, signers } = current.record;
  if (!signers.some((signer) => signer.name === name)) {
    const known = signers.map((signer) => signer.name).join(", ");
    throw new Failure(
      "signer/unknown",
      `roster ${String(generation)} has no signer ${name}, only ${known === "" ? "none" : known}`,
    );
  }
  const alone = await signedByOnly(context, cluster, current.record, name);
  if (alone.length > 0) {
    const last = `only ${name} has signed ${alone.map(({ what }) => what).join(", ")}`;
    if (!options.revoke) throw new Failure("signer/needed", last, hintFor(name, alone));
    context.print(`${last}: nothing starts with that any more`);
  }
  const counts = await changeRoster(context, cluster, current, options, (roster) => ({
    signers: roster.signers.filter((signer) => signer.name !== name),
  }));
  reportNext(context, counts ? "sealaunch verify" : "sealaunch roster sign");
  const revoked = alone.map(({ bundle }) => bundle);
  context.result({ signer: name, revoked, generation: generation + 1, complete: counts });
}

interface Alone {
  readonly bundle: string;
  /** The bundle and its generation, for people. */
  readonly what: string;
}

function hintFor(name: string, alone: readonly Alone[]): string {
  const commands = alone.slice(0, 3).map(({ bundle }) => `sealaunch seal ${bundle} --resign`);
  const more = alone.length > 3 ? ", and so on" : "";
  return `somebody else signs beside ${name}: ${commands.join(" && ")}${more}; if it is to start no more: --revoke`;
}

/** The bundles whose newest statement counts by that signer's signature alone. */
async function signedByOnly(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  name: string,
): Promise<Alone[]> {
  const alone: Alone[] = [];
  for (const bundle of await listBundles(cluster.source)) {
    try {
      const read = await readStatement(cluster, roster, bundle);
      if (read?.signers.every((signer) => signer.name === name) !== true) continue;
      alone.push({ bundle, what: `${bundle} ${describeGeneration(read.record)}` });
    } catch (error) {
      // Whatever counts for nothing now can't lose anything by it, but nobody should miss it.
      if (!(error instanceof Failure)) throw error;
      context.warn(`bundle ${bundle} can't be judged (${error.code}): see 'sealaunch verify'`);
    }
  }
  return alone;
}
