import { readRoster } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import { listKeys } from "../../trust/signed.ts";
import type { Context } from "../context.ts";
import { reportNext } from "../report.ts";
import { openToSign } from "../repository.ts";
import { changeRoster, type RosterChangeOptions } from "./change.ts";
import { readSignerKey } from "../signing.ts";

/** How many root keys have to sign from here on. */
export interface RootOptions extends RosterChangeOptions {
  /** As before if undefined. */
  readonly threshold: number | undefined;
}

/** A root key in the roster beside those that it has. */
export async function addRoot(
  context: Context,
  keyFile: string,
  options: RootOptions,
): Promise<void> {
  const key = await readSignerKey(context, keyFile);
  await changeRoots(context, options, (roots) => [...new Set([...roots, key])].sort());
}

/** A roster that lists the root key no more. @throws Failure `signer/unknown` */
export async function removeRoot(
  context: Context,
  keyFile: string,
  options: RootOptions,
): Promise<void> {
  const key = await readSignerKey(context, keyFile);
  await changeRoots(context, options, (roots) => {
    if (roots.includes(key)) return roots.filter((root) => root !== key);
    throw new Failure(
      "signer/unknown",
      `the root keys are ${listKeys(roots)}, not ${fingerprint(key)}`,
    );
  });
}

/**
 * What machines trust is their configuration's to say, so the roster's own list is half of an
 * exchange: rosters have to satisfy both, and the other half is told.
 */
async function changeRoots(
  context: Context,
  options: RootOptions,
  change: (roots: readonly SignerKey[]) => SignerKey[],
): Promise<void> {
  const cluster = await openToSign(context);
  const current = await readRoster(cluster);
  const { generation, roots: before, threshold: atLeast } = current.record;
  const roots = change(before);
  const threshold = options.threshold ?? atLeast;
  if (threshold > roots.length) {
    throw new Failure(
      "usage/invalid",
      `${String(threshold)} of the root keys have to sign, and there would be ${String(roots.length)}`,
      "say --threshold, or add a root key first: sealaunch roster add-root KEY.pub",
    );
  }
  const result = { roots: roots.map(fingerprint), threshold };
  if (roots.join() === before.join() && threshold === atLeast) {
    context.print(`nothing to do: ${String(threshold)} of ${listKeys(roots)} sign rosters`);
    context.result({ ...result, generation, complete: true });
    return;
  }
  const counts = await changeRoster(context, cluster, current, options, () => ({
    roots,
    threshold,
  }));
  context.print(
    "sealaunch.json and each node.json go on asking for the roots that they name; when this roster counts, let them say:",
  );
  context.print(JSON.stringify({ roots, threshold }, undefined, 2));
  reportNext(context, counts ? "sealaunch verify" : "sealaunch roster sign");
  context.result({ ...result, generation: generation + 1, complete: counts });
}
