import { objectsBelow } from "../../cluster/below.ts";
import { readNode } from "../../cluster/configuration.ts";
import { knownRecipients } from "../../cluster/mirror/own-recipients.ts";
import { hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { maxMembersSize } from "../../formats/records/pool.ts";
import { encodeHolding } from "../../formats/tree.ts";
import { openMirror } from "../../sources/mirror.ts";
import type { Context } from "../context.ts";
import { mirrorOf } from "./sync.ts";

/**
 * Writes to standard output, for `sync --ssh`, which node this is and what its mirror has.
 *
 * @throws Failure `configuration/…`, `mirror/none`, `card/absent`, `source/…`
 */
export async function tellHeld(context: Context, named: string | undefined): Promise<void> {
  const located = await readNode(context.configuration);
  const { cluster, node } = located.configuration;
  const mirror = openMirror(mirrorOf(context, located, named));
  const recipients = [...(await knownRecipients(located, mirror))];
  const objects: Record<string, string> = {};
  for (const folder of ["roster", "pools", "entries", "headers", "bundles"]) {
    for (const path of await objectsBelow(mirror, folder)) {
      // Of the largest objects' size. What is only named, such as others' entries, isn't there.
      const bytes = await mirror.read(path, maxMembersSize);
      if (bytes !== undefined) objects[path] = hex(sha256(bytes));
    }
  }
  await context.output(encodeHolding({ cluster, node, recipients, objects }));
}
