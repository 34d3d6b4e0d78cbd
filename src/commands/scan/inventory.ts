import { resolve } from "node:path";
import { readNode } from "../../cluster/configuration.ts";
import { writeInventory } from "../../cluster/inventory-writing.ts";
import { openNodeSource } from "../../cluster/node-source.ts";
import { pack } from "../../cluster/packing.ts";
import { utf8 } from "../../crypto/bytes.ts";
import { formatTime } from "../../formats/fields.ts";
import { encodeInventory } from "../../formats/records/inventory.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { encodeUses, type Uses } from "../../formats/uses.ts";
import { collectHere } from "../../host/collecting.ts";
import { writeFileAtomic } from "../../host/files.ts";
import { registrationOf, usesOf } from "../../scan/store/collected-inventory.ts";
import { readCollected } from "../../scan/store/collected.ts";
import { readList } from "../../scan/store/list.ts";
import { createStoreTable } from "../../scan/store/table.ts";
import type { Context } from "../context.ts";
import { pathFor, reportWritten } from "../report.ts";
import { readSignerKey, signRecord } from "../signing.ts";

/** What becomes of an inventory besides being told. */
export interface InventoryOptions {
  /** The private half of the SSH host key, to sign it with for the source. */
  readonly hostKey: string | undefined;
  /** A file for `scan --dump`. */
  readonly save: string | undefined;
}

const publicMode = 0o644;

/**
 * Tells what this machine's store has and what uses it; puts it into a file, or signed into the source,
 * if asked.
 *
 * @throws Failure `inventory/unavailable`, `inventory/malformed`;
 *   `configuration/…`, `signer/failed`, `write/refused`
 */
export async function inventory(context: Context, options: InventoryOptions): Promise<void> {
  const bytes = await collectHere();
  const what = "this machine";
  const collected = readCollected(Buffer.from(bytes).toString("latin1"), what);
  const graph = registrationOf(collected, what);
  const uses = usesOf(collected);
  const paths = readList(graph, "registration", createStoreTable(), what).entries.length;
  if (options.save !== undefined) {
    const file = resolve(context.directory, options.save);
    await writeFileAtomic(file, bytes, publicMode);
    context.print(`wrote ${pathFor(context, file)}`);
  }
  const written =
    options.hostKey === undefined
      ? []
      : await announce(context, options.hostKey, { graph: utf8(graph), uses, paths });
  await tell(context, uses, paths);
  context.result({ paths, ...uses, written });
}

async function announce(
  context: Context,
  hostKey: string,
  { graph, uses, paths }: { graph: Uint8Array; uses: Uses; paths: number },
): Promise<string[]> {
  const located = await readNode(context.configuration);
  const { cluster, node } = located.configuration;
  const file = resolve(context.directory, hostKey);
  const signer = await readSignerKey(context, file);
  const texts = [pack(graph), pack(encodeUses(uses))] as const;
  const bytes = encodeInventory({
    type: "inventory",
    version: 1,
    cluster,
    node,
    taken: formatTime(context.now),
    paths,
    graph: texts[0].packed,
    uses: texts[1].packed,
  });
  const signature = await signRecord(context, { signer, file }, "inventory", bytes);
  const source = await openNodeSource(located);
  const written = await writeInventory(source, { node, bytes, signature, texts });
  reportWritten(
    context,
    written.map((path) => source.place(path)),
  );
  context.print(`inventory of ${node}, signed by ${fingerprint(signer)}`);
  return written;
}

async function tell(context: Context, uses: Uses, paths: number): Promise<void> {
  const { units, roots, processes, missing } = uses;
  context.print(
    `${String(paths)} store paths, ${String(roots.length)} links that keep some, ` +
      `${String(units.length)} services and ${String(processes.length)} other programs that use some`,
  );
  if (missing.length > 0) context.print(`not all was seen, which root may: ${missing.join(", ")}`);
  if (units.length === 0) return;
  await context.table(
    ["unit", "owner", "runs", "names", "bundles"],
    units.map(({ unit, owner, runs, names, bundles }) => [
      unit,
      owner ?? "-",
      String(runs.length),
      String(names.length),
      bundles.join(", "),
    ]),
  );
}
