import { Failure } from "../../failure.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { maySign } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { readSignerKey } from "../signing.ts";

/**
 * The keys that may sign a bundle's name today.
 *
 * @param chosen - the file of --signer
 * @throws Failure `signer/not-allowed` if the roster knows that key, but not for this name; `signer/none` if
 *   nobody may
 */
export async function signersOfName(
  context: Context,
  roster: VerifiedRoster,
  bundle: string,
  chosen: string | undefined,
): Promise<SignerKey[]> {
  const allowed = roster.signers.filter((signer) => maySign(signer, bundle, context.now));
  const key = chosen === undefined ? undefined : await readSignerKey(context, chosen);
  const known = roster.signers.find(({ signer }) => signer === key);
  if (known !== undefined && !allowed.includes(known)) {
    throw new Failure(
      "signer/not-allowed",
      `${known.name} (${fingerprint(known.signer)}) may sign ${known.names.join(", ")}${known.expires === null ? "" : ` until ${known.expires}`}, not ${bundle}`,
    );
  }
  if (allowed.length === 0) {
    throw new Failure(
      "signer/none",
      `nobody may sign bundle ${bundle}`,
      `have a root let somebody: sealaunch roster add-signer NAME KEY.pub --name ${bundle}`,
    );
  }
  return allowed.map(({ signer }) => signer);
}
