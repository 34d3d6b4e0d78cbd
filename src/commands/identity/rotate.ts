import { join, resolve } from "node:path";
import { writeCard } from "../../cluster/cards.ts";
import { readNode } from "../../cluster/configuration.ts";
import { openNodeSource } from "../../cluster/node-source.ts";
import { nextPath, readIdentity } from "../../cluster/identities.ts";
import { wipe } from "../../crypto/bytes.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { formatTime } from "../../formats/fields.ts";
import { recordFile } from "../../formats/paths.ts";
import { encodeCard } from "../../formats/records/card.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { writeFileAtomic } from "../../host/files.ts";
import type { Context } from "../context.ts";
import { makeNextIdentity, renewAgent } from "./next.ts";
import { reportNext, reportWritten } from "../report.ts";
import { readSignerKey, signRecord } from "../signing.ts";

const publicMode = 0o644;

/**
 * After it, this node has its next identity beside the present one, and has announced it with a card
 * that its host key signed. Both open from now on; nothing trusts the next before a manager signs.
 */
export async function rotateIdentity(
  context: Context,
  options: { readonly hostKey: string },
): Promise<void> {
  const located = await readNode(context.configuration);
  const { configuration, directory } = located;
  const { node, identity: path } = configuration;
  const file = resolve(context.directory, options.hostKey);
  const signer = await readSignerKey(context, file);
  const current = await readIdentity(path);
  wipe(current.seed);
  const recipient = await makeNextIdentity(context, path);
  await renewAgent(context, path);
  const bytes = encodeCard({ node, recipient, created: formatTime(context.now) });
  const signature = await signRecord(context, { signer, file }, "card", bytes);
  const card = join(directory, "next", recordFile.card);
  const cardSignature = join(directory, "next", recordFile.cardSignature);
  await writeFileAtomic(card, bytes, publicMode);
  await writeFileAtomic(cardSignature, signature, publicMode);
  const [before, after] = [current.recipient, recipient].map(recipientId);
  context.print(`node ${node}: recipient ${String(before)} → ${String(after)}`);
  context.print(`host key ${fingerprint(signer)}`);
  reportWritten(context, [nextPath(path), card, cardSignature]);
  const source = await openNodeSource(located);
  let announced: string | undefined;
  try {
    announced = source.place(await writeCard(source, { node, bytes, signature }));
    reportWritten(context, [announced]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.warn(`the card isn't announced, bring it to a manager: ${error.message}`);
  }
  context.print(
    "both open until a pool's manager has signed for the next one and this node has seen it:",
  );
  context.print(`  manager: sealaunch roster add-node keys/nodes/${node} --pool POOL --replace`);
  reportNext(context, "sealaunch rewrap (on this node, once that is in the source)");
  context.result({
    node,
    before,
    after,
    recipient,
    hostKey: signer,
    card,
    announced: announced ?? null,
  });
}
