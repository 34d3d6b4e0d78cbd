import { readRoster } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import type { Context } from "../context.ts";
import { parseExpiry } from "../expiry.ts";
import { reportNext } from "../report.ts";
import { openToSign } from "../repository.ts";
import { changeRoster, type RosterChangeOptions } from "./change.ts";
import { readSignerKey } from "../signing.ts";

/** What a signer may sign, and until when. */
export interface AddSignerOptions extends RosterChangeOptions {
  /** Names of bundles, and prefixes that end in `/`. */
  readonly names: readonly string[];
  /** Without end if undefined. */
  readonly expires: string | undefined;
}

/** A signer in the roster, in place of the one of that name if there is one. */
export async function addSigner(
  context: Context,
  name: string,
  keyFile: string,
  options: AddSignerOptions,
): Promise<void> {
  parseName("signer", name);
  if (options.names.length === 0) {
    throw new Failure(
      "usage/invalid",
      `signer ${name} would be allowed no name`,
      `sealaunch roster add-signer ${name} ${keyFile} --name dns/`,
    );
  }
  const names = [...new Set(options.names.map((scope) => parseName("scope", scope)))].sort();
  const expires = options.expires === undefined ? null : parseExpiry(options.expires, context.now);
  const signer = await readSignerKey(context, keyFile);
  const cluster = await openToSign(context);
  const current = await readRoster(cluster);
  const others = current.record.signers.filter((known) => known.name !== name);
  const twin = others.find((other) => other.signer === signer);
  if (twin !== undefined) {
    throw new Failure(
      "usage/exists",
      `the key of ${name} is that of signer ${twin.name} already`,
      `give ${twin.name} the name too: sealaunch roster add-signer ${twin.name} ${keyFile} ${[...new Set([...twin.names, ...names])].map((scope) => `--name ${scope}`).join(" ")}`,
    );
  }
  const signers = [...others, { name, signer, names, expires }].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const before = current.record.signers.find((known) => known.name === name);
  const same = { name, signer, names, expires };
  if (JSON.stringify(before) === JSON.stringify(same)) {
    context.print(`nothing to do: signer ${name} is in the roster just so`);
    context.result({ signer: same, generation: current.record.generation, complete: true });
    return;
  }
  const counts = await changeRoster(context, cluster, current, options, () => ({ signers }));
  const [pool] = current.record.pools;
  const example = `${names[0]?.replace(/\/$/u, "/NAME") ?? "NAME"} CREDENTIAL --pool ${pool?.name ?? "POOL"}`;
  reportNext(context, counts ? `sealaunch seal ${example}` : "sealaunch roster sign");
  context.result({ signer: same, generation: current.record.generation + 1, complete: counts });
}
