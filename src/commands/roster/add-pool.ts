import { readRoster } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import type { Context } from "../context.ts";
import { reportNext } from "../report.ts";
import { openToSign } from "../repository.ts";
import { changeRoster, type RosterChangeOptions } from "./change.ts";
import { readSignerKey } from "../signing.ts";

/** Whom a new pool is managed by. */
export interface AddPoolOptions extends RosterChangeOptions {
  /** Files of managers' keys; the root key that signs, if none is given. */
  readonly managers: readonly string[];
}

/** A new pool in the roster, without members yet. */
export async function addPool(
  context: Context,
  name: string,
  options: AddPoolOptions,
): Promise<void> {
  const pool = parseName("pool", name);
  const cluster = await openToSign(context);
  const current = await readRoster(cluster);
  if (current.record.pools.some((known) => known.name === pool)) {
    throw new Failure(
      "usage/exists",
      `roster ${String(current.record.generation)} has a pool ${pool} already`,
      `see it with 'sealaunch roster show', or add a node: sealaunch roster add-node CARD --pool ${pool}`,
    );
  }
  const keys = await Promise.all(options.managers.map((file) => readSignerKey(context, file)));
  const counts = await changeRoster(context, cluster, current, options, ({ pools }, signer) => {
    const managers = keys.length > 0 ? [...new Set(keys)].sort() : [signer];
    return {
      pools: [...pools, { name: pool, managers }].sort((a, b) => (a.name < b.name ? -1 : 1)),
    };
  });
  reportNext(
    context,
    counts
      ? `sealaunch roster add-node CARD --pool ${pool} --known-hosts FILE`
      : "sealaunch roster sign",
  );
  context.result({ pool, generation: current.record.generation + 1, complete: counts });
}
