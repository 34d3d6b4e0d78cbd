import { resolve } from "node:path";
import { readCard } from "../../cluster/cards.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import type { Context } from "../context.ts";
import { enrolAndAdmit, type CheckCard, type EnrolOptions } from "./enrolling.ts";
import { checkHostKey, type HostKeyOptions } from "./enrolment.ts";
import { openToSign } from "../repository.ts";

/**
 * Nodes in a pool, by their cards. The first begins the pool's first epoch; later ones are owed an
 * entry, which needs somebody who has one.
 */
export async function addNode(
  context: Context,
  paths: readonly string[],
  options: EnrolOptions & HostKeyOptions,
): Promise<void> {
  parseName("pool", options.pool);
  if (options.fingerprint !== undefined && paths.length > 1) {
    throw new Failure(
      "usage/invalid",
      `one fingerprint is given for ${String(paths.length)} cards`,
      "add them one by one, or give --known-hosts FILE",
    );
  }
  const cards = await Promise.all(paths.map((path) => readCard(resolve(context.directory, path))));
  const cluster = await openToSign(context);
  const check: CheckCard = (card, present) => checkHostKey(context, card, options, present);
  context.result(await enrolAndAdmit(context, cluster, cards, options, check));
}
