import { dirname, join, resolve } from "node:path";
import { Failure } from "../failure.ts";
import {
  decodeNodeConfiguration,
  decodeRepositoryConfiguration,
  type NodeConfiguration,
  type RepositoryConfiguration,
} from "../formats/configuration.ts";
import { readRegularFile } from "../host/files.ts";
import { isInStoreItself } from "../host/nix/in-store.ts";
import { openSource } from "../sources/open.ts";
import type { TrustedRoots } from "../trust/roster.ts";
import type { Cluster } from "./cluster.ts";
import { noMarks, openMarks, type Marks } from "./marks.ts";
import { noMemory, type Memory } from "./memory.ts";
import { openNodeSource } from "./node-source.ts";

/** The name of a repository's configuration, looked for upwards. */
export const repositoryFile = "sealaunch.json";
/** Where a node's configuration is, unless --config names another. */
const nodeFile = "/etc/sealaunch/node.json";

const maxConfigurationSize = 64 * 1024;

/** A configuration and the directory that its relative paths are taken from. */
export interface Located<T> {
  readonly configuration: T;
  readonly path: string;
  readonly directory: string;
}

/**
 * The repository's configuration at `path`, or the first `sealaunch.json` from `start` upwards;
 * undefined if there is none.
 *
 * @throws Failure `configuration/missing` if `path` was given and isn't there;
 *   `configuration/invalid`
 */
export async function findRepository(
  start: string,
  path?: string,
): Promise<Located<RepositoryConfiguration> | undefined> {
  if (path !== undefined) {
    return requireFile(resolve(start, path), decodeRepositoryConfiguration);
  }
  for (let directory = resolve(start); ; directory = dirname(directory)) {
    const found = await locate(join(directory, repositoryFile), decodeRepositoryConfiguration);
    if (found !== undefined) return found;
    if (directory === dirname(directory)) return undefined;
  }
}

/** As {@link findRepository}. @throws Failure also `configuration/missing` if there is none */
export async function requireRepository(
  start: string,
  path?: string,
): Promise<Located<RepositoryConfiguration>> {
  const found = await findRepository(start, path);
  if (found !== undefined) return found;
  throw new Failure("configuration/missing", `no ${repositoryFile} in ${start} or above it`);
}

/**
 * The node's configuration at `path`.
 *
 * @throws Failure `configuration/missing`, `configuration/invalid`
 */
export function readNode(path?: string): Promise<Located<NodeConfiguration>> {
  if (path !== undefined) return requireFile(resolve(path), decodeNodeConfiguration);
  return requireFile(nodeFile, decodeNodeConfiguration, notANode);
}

type Decode<T> = (bytes: Uint8Array, what: string) => T;

const notANode =
  "make this machine a node: sealaunch identity create --into /etc/sealaunch; or give --config FILE";

async function requireFile<T>(
  path: string,
  decode: Decode<T>,
  hint = "check the path",
): Promise<Located<T>> {
  const found = await locate(path, decode);
  if (found !== undefined) return found;
  throw new Failure("configuration/missing", `there is no ${path}`, hint);
}

async function locate<T>(path: string, decode: Decode<T>): Promise<Located<T> | undefined> {
  const bytes = await readRegularFile(path, maxConfigurationSize);
  if (bytes === undefined) return undefined;
  return { configuration: decode(bytes, path), path, directory: dirname(path) };
}

function trustedRoots({ cluster, roots, threshold }: TrustedRoots): TrustedRoots {
  return { cluster, roots, threshold };
}

/**
 * The cluster as a repository's checkout sees it.
 *
 * @param marks - those of whoever goes by what he sees; none for who only looks
 */
export async function openRepository(
  { configuration, directory }: Located<RepositoryConfiguration>,
  now: Date,
  marks: Marks = noMarks,
): Promise<Cluster> {
  const source = await openSource(configuration.source, directory);
  return { trusted: trustedRoots(configuration), source, marks, memory: noMemory, now };
}

/**
 * The cluster as a node sees it, with the node's marks, unless it reads what can't change.
 *
 * @param memory - of a process that goes on; else everything is done once
 */
export async function openNode(
  { configuration, directory }: Located<NodeConfiguration>,
  now: Date,
  memory: Memory = noMemory,
): Promise<Cluster> {
  const source = await openNodeSource({ configuration, directory });
  // By cluster: a machine that changes hands starts without the other cluster's marks.
  const marks = isFixed(configuration)
    ? noMarks
    : openMarks(join(configuration.state, "marks", configuration.cluster));
  return { trusted: trustedRoots(configuration), source, marks, memory, now };
}

/**
 * Whether what the node reads is in the Nix store: it can't change, so that who names an older tree means it, as
 * a system that is rolled back does. Whoever may point a link elsewhere needn't be root, so that none counts.
 */
function isFixed({ source, mirror }: NodeConfiguration): boolean {
  return (
    mirror === undefined &&
    source.startsWith("dir:/") &&
    isInStoreItself(source.slice("dir:".length))
  );
}

/** Where `sync` keeps what it alone needs, within a mirror. No reader looks there. */
export function syncState(mirror: string): string {
  return join(mirror, ".sync");
}

/** The cluster as the node's `sync` sees it: the source itself, with marks of its own, which no start goes by. */
export async function openToMirror(
  { configuration, directory }: Located<NodeConfiguration>,
  mirror: string,
  now: Date,
): Promise<Cluster> {
  const source = await openSource(configuration.source, directory);
  const marks = openMarks(join(syncState(mirror), "marks", configuration.cluster));
  return { trusted: trustedRoots(configuration), source, marks, memory: noMemory, now };
}
