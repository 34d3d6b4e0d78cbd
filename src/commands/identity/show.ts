import { join, resolve } from "node:path";
import { readCard } from "../../cluster/cards.ts";
import { readIdentity } from "../../cluster/identities.ts";
import { wipe } from "../../crypto/bytes.ts";
import { recipientId, type Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { recordFile } from "../../formats/paths.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { listDirectory } from "../../host/files.ts";
import type { Context } from "../context.ts";
import { nodeFiles } from "./home.ts";

/** What of an identity is shown. */
export interface ShowOptions {
  /** Only the card, so that the identity isn't read. */
  readonly card: boolean;
  /** Nothing but the recipient, for other programs. */
  readonly recipient: boolean;
}

/** Tells the public half of an identity, and what a node's card says of it. */
export async function showIdentity(
  context: Context,
  path: string,
  options: ShowOptions,
): Promise<void> {
  const place = resolve(context.directory, path);
  // A file lists nothing; whether it is there, reading it tells.
  const names = await listDirectory(place);
  const card = options.card || names.includes(recordFile.card) ? await readCard(place) : undefined;
  const hasIdentity = names.includes(nodeFiles.identity);
  const recipient =
    card !== undefined && (options.card || !hasIdentity)
      ? card.card.recipient
      : await recipientOf(hasIdentity ? join(place, nodeFiles.identity) : place);
  if (card !== undefined && card.card.recipient !== recipient) {
    throw new Failure(
      "identity/other-node",
      `${place}: the identity is ${recipientId(recipient)}, the card beside it has ${recipientId(card.card.recipient)}`,
      "make both anew in another directory: sealaunch identity create --into DIR",
    );
  }
  const id = recipientId(recipient);
  if (options.recipient) {
    context.print(recipient);
  } else {
    context.print(`recipient  ${recipient}`);
    context.print(`id         ${id}`);
    if (card !== undefined) {
      context.print(`node       ${card.card.node}, card of ${card.card.created}`);
      context.print(`host key   ${fingerprint(card.hostKey)}`);
    }
  }
  context.result({
    recipient,
    id,
    ...(card === undefined ? {} : { node: card.card.node, hostKey: card.hostKey }),
  });
}

async function recipientOf(file: string): Promise<Recipient> {
  const identity = await readIdentity(file);
  wipe(identity.seed);
  return identity.recipient;
}
