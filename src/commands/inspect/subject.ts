import { join, resolve } from "node:path";
import { listBundles } from "../../cluster/bundles.ts";
import {
  readRoster,
  readStatementAt,
  requireReadStatement,
  type Cluster,
  type Read,
  type ReadStatement,
} from "../../cluster/cluster.ts";
import { findRepository, openRepository, requireRepository } from "../../cluster/configuration.ts";
import { newestGeneration } from "../../cluster/generations.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { isInStore } from "../../service/store-path.ts";
import { takeBundlesFrom } from "../../sources/bundles-elsewhere.ts";
import { openSource } from "../../sources/open.ts";
import type { Source } from "../../sources/source.ts";
import { describeGeneration, type StatementPlace } from "../../trust/statement.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { findTree } from "./tree.ts";

/** What `inspect` is asked about, and how it is judged. */
export interface Subject {
  readonly cluster: Cluster;
  readonly roster: Read<VerifiedRoster>;
  readonly bundles: readonly string[];
  /** Whether what was named may have several, though it has one now. */
  readonly isFolder: boolean;
  /** The generation that is meant; the newest if undefined. */
  readonly place: StatementPlace | undefined;
  /** The directory of the source in which the bundles lie, as `dir:PATH`, for what asks git. */
  readonly url: string;
  readonly base: string;
}

/** Whether an argument is a path: no bundle's name begins so. */
const isPath = (what: string): boolean => /^(?:\.{0,2}\/|\.{1,2}$)/u.test(what);

/**
 * What `what` means: a bundle's name in the checkout in which the command runs, or a path to a directory
 * or store path.
 *
 * What is inspected brings no trust along where there is a checkout or `--config` that says whom to trust.
 * A directory is judged by its own roster, if it has one; what lies in the store by the checkout's, which
 * knows what was put out of use since, unless its own is newer.
 *
 * @throws Failure `configuration/…`, `file/absent`, `source/unreadable`, `bundle/absent`; all that
 *   `readRoster` does
 */
export async function openSubject(context: Context, what: string): Promise<Subject> {
  if (!isPath(what)) {
    const bundle = parseName("bundle", what);
    const repository = await requireRepository(context.directory, context.configuration);
    const cluster = await openRepository(repository, context.now);
    const { configuration, directory: base } = repository;
    const roster = await readRoster(cluster);
    return {
      cluster,
      roster,
      bundles: [bundle],
      isFolder: false,
      place: undefined,
      url: configuration.source,
      base,
    };
  }
  const tree = await findTree(resolve(context.directory, what));
  const cluster = await openTree(context, tree.directory);
  const roster = await readRoster(cluster);
  const all = tree.place === undefined ? await listBundles(cluster.source) : [tree.place.bundle];
  const { bundle } = tree;
  const bundles = all.filter(
    (name) => bundle === undefined || name === bundle || name.startsWith(`${bundle}/`),
  );
  if (bundles.length === 0) throw new Failure("bundle/absent", `there is no bundle in ${what}`);
  const { place, directory } = tree;
  const isFolder = place === undefined && (bundles.length > 1 || bundles[0] !== bundle);
  return { cluster, roster, bundles, isFolder, place, url: `dir:${directory}`, base: directory };
}

async function openTree(context: Context, directory: string): Promise<Cluster> {
  const trusted = await findRepository(context.directory, context.configuration);
  const repository = trusted ?? (await requireRepository(directory));
  if (trusted === undefined) {
    context.warn(`judged by the root keys that ${repository.path} names itself`);
  }
  const cluster = await openRepository(repository, context.now);
  const own = await openSource(`dir:${directory}`, directory);
  const source = (await isJudgedByItself(own, cluster.source, directory))
    ? own
    : takeBundlesFrom(own, cluster.source);
  return { ...cluster, source };
}

async function isJudgedByItself(own: Source, other: Source, directory: string): Promise<boolean> {
  const newest = await newestGeneration(own);
  if (newest === undefined) return false;
  return !isInStore(directory) || newest > ((await newestGeneration(other)) ?? 0);
}

/** The one bundle that a subject is. @throws Failure `usage/invalid` if it is several */
export function requireOne({ bundles, cluster }: Subject): string {
  const [bundle, other] = bundles;
  if (bundle !== undefined && other === undefined) return bundle;
  throw new Failure(
    "usage/invalid",
    `${cluster.source.name} has ${String(bundles.length)} bundles there, and that is asked of one`,
    `name one: ${join(cluster.source.place("bundles"), bundle ?? "NAME")}`,
  );
}

/** The statement that is meant. @throws Failure `bundle/absent`, all that `readStatement` refuses */
export async function readSubject(subject: Subject): Promise<ReadStatement> {
  const { cluster, roster, place } = subject;
  const bundle = requireOne(subject);
  if (place === undefined) return requireReadStatement(cluster, roster.record, bundle);
  const read = await readStatementAt(cluster, roster.record, place);
  if (read !== undefined) return read;
  throw new Failure(
    "bundle/absent",
    `${cluster.source.name} has no bundle ${bundle} ${describeGeneration(place)}`,
  );
}
