import { resolve } from "node:path";
import {
  findRepository,
  openToMirror,
  readNode,
  type Located,
} from "../../cluster/configuration.ts";
import { openOutbox } from "../../cluster/node-source.ts";
import { Failure } from "../../failure.ts";
import { factsOf, isOthersToRoot } from "../../host/file-facts.ts";
import type { NodeConfiguration } from "../../formats/configuration.ts";
import { nodesFolder } from "../../formats/paths.ts";
import { decodeTree, encodeTree, maxTreeSize, type Tree } from "../../formats/tree.ts";
import { openMirror } from "../../sources/mirror.ts";
import { openMemory } from "../../sources/memory.ts";
import type { Source } from "../../sources/source.ts";
import type { Context } from "../context.ts";
import { openBrought, syncBack } from "./elsewhere.ts";
import { syncBundles, syncOnce, type SyncReport } from "./pass.ts";

/** What `sync` is asked to do. */
export interface SyncOptions {
  /** Where the mirror is, instead of what the configuration says. */
  readonly mirror: string | undefined;
  /** Goes on until it is told to end. */
  readonly watches: boolean;
  /** A directory that is read instead of the source; `-` for standard input. */
  readonly from: string | undefined;
}

/**
 * Brings what this node needs of its source into its mirror, and what the node has written for others into
 * the source: once, or again and again.
 *
 * @throws Failure `mirror/none`, `mirror/root`; `roster/absent` of a directory that holds nothing; what of the
 *   source couldn't be judged, after all the rest was done
 */
export async function sync(context: Context, options: SyncOptions): Promise<void> {
  const { from } = options;
  // Who names no configuration and stands in a checkout isn't on a node.
  const isNode =
    from === undefined ||
    from === "-" ||
    context.configuration !== undefined ||
    (await findRepository(context.directory)) === undefined;
  if (!isNode) {
    await syncBack(context, from);
    return;
  }
  const located = await readNode(context.configuration);
  const mirror = mirrorOf(context, located, options.mirror);
  await refuseRoot(mirror);
  const own = await openToMirror(located, mirror, context.now);
  const sent =
    from === "-" ? decodeTree(await context.input(maxTreeSize), "standard input") : undefined;
  const source =
    sent !== undefined
      ? openSent(sent, openMirror(mirror), await openOutbox(located.configuration))
      : from === undefined
        ? own.source
        : await openBrought(context, from);
  const cluster = { ...own, source };
  if (options.watches) {
    const { watch } = await import("./watch.ts");
    await watch(context, mirror, cluster.source, {
      whole: (asked, now) => syncOnce(located, mirror, { ...cluster, now }, asked),
      of: (bundles, before, now) =>
        syncBundles(located, mirror, { ...cluster, now }, before, bundles),
    });
    return;
  }
  const done = await syncOnce(located, mirror, cluster, [], sent !== undefined);
  if (sent === undefined) report(context, located, mirror, done);
  else await sendBack(context, source, done);
}

/** Root would leave files there that its user can't read, and follow whatever he puts in their way. */
async function refuseRoot(mirror: string): Promise<void> {
  const facts = await factsOf(mirror);
  if (facts === undefined || !isOthersToRoot(facts)) return;
  throw new Failure(
    "mirror/root",
    `${mirror} belongs to user ${String(facts.uid)}, and this is root`,
    `as that user: runuser -u "$(stat -c %U ${mirror})" -- sealaunch sync …`,
  );
}

/** What was sent; of what it only names the bytes are here, those of what this node says of itself in its outbox. */
function openSent({ objects, named }: Tree, mirror: Source, outbox: Source): Source {
  const read: Source["read"] = (path, maxBytes) =>
    (path.startsWith(`${nodesFolder}/`) ? outbox : mirror).read(path, maxBytes);
  return openMemory("a tree that was sent", new Map(objects), {
    named,
    source: { ...mirror, read },
  });
}

/** Answers who has sent a tree with what this node has written for others. */
async function sendBack(
  context: Context,
  source: Source,
  { written, failures }: SyncReport,
): Promise<void> {
  const [first] = failures;
  if (first !== undefined) throw first;
  const objects = await Promise.all(
    written.map(async (path) => [path, await source.read(path, maxTreeSize)] as const),
  );
  const back = objects.flatMap(([path, bytes]) =>
    bytes === undefined ? [] : [[path, bytes] as const],
  );
  await context.output(encodeTree({ objects: new Map(back), named: new Set() }));
}

/** Where a node's mirror is. @param mirror - instead of what its configuration says @throws Failure `mirror/none` */
export function mirrorOf(
  context: Context,
  { configuration, path }: Located<NodeConfiguration>,
  mirror: string | undefined,
): string {
  if (mirror !== undefined) return resolve(context.directory, mirror);
  if (configuration.mirror !== undefined) return configuration.mirror;
  throw new Failure("mirror/none", `${path} names no "mirror"`);
}

function report(
  context: Context,
  { configuration: { node } }: Located<NodeConfiguration>,
  mirror: string,
  { pools, bundles, written, failures }: SyncReport,
): void {
  const [first, ...others] = failures;
  for (const { message } of others) context.warn(message);
  for (const path of written) context.print(`carried ${path}`);
  const names = (all: readonly string[]): string => (all.length === 0 ? "(none)" : all.join(", "));
  context.print(
    `${mirror} has what ${node} needs: pools ${names(pools)}; bundles ${names(bundles)}`,
  );
  context.result({
    mirror,
    pools,
    bundles,
    written,
    failures: failures.map(({ code, message }) => ({ code, message })),
  });
  if (first !== undefined) throw first;
}
