import { resolve } from "node:path";
import { wipe } from "../../crypto/bytes.ts";
import { createIdentity } from "../../crypto/identity.ts";
import { recipientId } from "../../crypto/recipient.ts";
import type { Context } from "../context.ts";
import { createIdentityFile } from "./file.ts";
import { pathFor, reportNext, reportWritten } from "../report.ts";

/** A new identity in a file, such as an operator's. */
export async function createOperatorIdentity(context: Context, file: string): Promise<void> {
  const path = resolve(context.directory, file);
  const identity = createIdentity();
  const { recipient } = identity;
  try {
    await createIdentityFile(path, identity, context.now);
  } finally {
    wipe(identity.seed);
  }
  context.print(`recipient ${recipient}`);
  reportWritten(context, [path]);
  context.print("keep it offline, and a copy elsewhere: an operator's identity opens everything");
  reportNext(context, `sealaunch init --operator ${pathFor(context, path)}`);
  context.result({ path, recipient, id: recipientId(recipient) });
}
