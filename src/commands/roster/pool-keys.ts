import { readPool, readRoster, type Cluster } from "../../cluster/cluster.ts";
import { readSigned } from "../../cluster/generations.ts";
import { Failure } from "../../failure.ts";
import { poolPath } from "../../formats/paths.ts";
import { maxPoolSize } from "../../formats/records/pool.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import { rosterPool, type VerifiedRoster } from "../../trust/roster.ts";
import { listKeys, signersOf } from "../../trust/signed.ts";
import type { Context } from "../context.ts";
import { reportNext } from "../report.ts";
import { openToSign } from "../repository.ts";
import { changeRoster, type RosterChangeOptions } from "./change.ts";
import { readSignerKey } from "../signing.ts";

/** A key that may change who is in a pool, beside those that may. */
export async function addManager(
  context: Context,
  pool: string,
  keyFile: string,
  options: RosterChangeOptions,
): Promise<void> {
  await changeManagers(context, pool, keyFile, options, (managers, key) =>
    Promise.resolve([...new Set([...managers, key])].sort()),
  );
}

/**
 * The key may no longer change who is in the pool.
 *
 * @throws Failure `signer/needed` if it is the only one, or has alone signed the pool's file;
 *   `signer/unknown`
 */
export async function removeManager(
  context: Context,
  pool: string,
  keyFile: string,
  options: RosterChangeOptions,
): Promise<void> {
  await changeManagers(context, pool, keyFile, options, async (managers, key, cluster, roster) => {
    const others = managers.filter((manager) => manager !== key);
    const who = fingerprint(key);
    if (others.length === managers.length) {
      throw new Failure(
        "signer/unknown",
        `pool ${pool} is managed by ${listKeys(managers)}, not by ${who}`,
      );
    }
    if (others.length === 0) {
      throw new Failure(
        "signer/needed",
        `pool ${pool} is managed by ${who} alone`,
        `sealaunch roster add-manager ${pool} KEY.pub`,
      );
    }
    await requireSignedByOthers(cluster, roster, pool, others, who);
    return others;
  });
}

type Change = (
  managers: readonly SignerKey[],
  key: SignerKey,
  cluster: Cluster,
  roster: VerifiedRoster,
) => Promise<SignerKey[]>;

async function changeManagers(
  context: Context,
  name: string,
  keyFile: string,
  options: RosterChangeOptions,
  change: Change,
): Promise<void> {
  const key = await readSignerKey(context, keyFile);
  const cluster = await openToSign(context);
  const current = await readRoster(cluster);
  const { generation } = current.record;
  const before = rosterPool(current.record, name).managers;
  const managers = await change(before, key, cluster, current.record);
  const result = { pool: name, managers: managers.map(fingerprint) };
  if (managers.join() === before.join()) {
    context.print(`nothing to do: pool ${name} is managed by ${listKeys(managers)}`);
    context.result({ ...result, generation, complete: true });
    return;
  }
  const counts = await changeRoster(context, cluster, current, options, ({ pools }) => ({
    pools: pools.map((pool) => (pool.name === name ? { ...pool, managers } : pool)),
  }));
  reportNext(context, counts ? "sealaunch verify" : "sealaunch roster sign");
  context.result({ ...result, generation: generation + 1, complete: counts });
}

/** Else every start of the pool's services would be refused from this roster on. */
async function requireSignedByOthers(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
  others: readonly SignerKey[],
  who: string,
): Promise<void> {
  const file = await readPool(cluster, roster, pool);
  if (file === undefined) return;
  const { generation } = file.record;
  const folder = poolPath(pool, generation);
  const signed = await readSigned(cluster.source, folder, "pool", maxPoolSize, others);
  const signers = signed === undefined ? [] : signersOf(signed, "pool").signers;
  if (signers.some((signer) => others.includes(signer))) return;
  throw new Failure(
    "signer/needed",
    `pool file ${pool} ${String(generation)} is signed by ${who} alone`,
    `another manager issues it anew: sealaunch roster sign --pool ${pool} --signer KEY.pub`,
  );
}
