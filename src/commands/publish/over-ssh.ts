import { readPool, readRoster } from "../../cluster/cluster.ts";
import { findRepository } from "../../cluster/configuration.ts";
import { textOf, utf8 } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import type { ValidPath } from "../../host/nix/path-info.ts";
import { copyClosures } from "../../host/nix/copy.ts";
import { onlyKnown, runOverSsh, type Remote } from "../../host/ssh/remote.ts";
import type { Context } from "../context.ts";
import { openWithMarks } from "../repository.ts";
import { targetsIn, withKnownHosts, type Target } from "../targets.ts";

/** What came of it. */
export interface Copied {
  /** The machine, as ssh(1) takes it. */
  readonly host: string;
  /** Those of the closure that weren't there. */
  readonly missing: readonly ValidPath[];
}

/** What is copied. */
export interface CopyOptions {
  /** Whose closure it is. */
  readonly storePaths: readonly string[];
  /** The root of the store that it is copied from, if it isn't this machine's. */
  readonly root: string | undefined;
  /** Only what is missing there is found out. */
  readonly isDryRun: boolean;
}

/**
 * After it, the store of the machine at `ssh://[USER@]HOST[:PORT]` has a closure of this machine's, and was
 * asked for each of its paths. A HOST that is a node of the cluster, by name or by `hosts` of sealaunch.json, has
 * to have the host key that the pool's signed member list names; any other one that ssh knows already.
 *
 * @throws Failure `cache/unknown`, `ssh/failed`, `cache/incomplete`, `program/missing`
 */
export async function publishOverSsh(
  context: Context,
  address: string,
  closure: readonly ValidPath[],
  { storePaths, root, isDryRun }: CopyOptions,
): Promise<Copied> {
  const { host, options } = parseAddress(address);
  const target = await nodeAt(context, host);
  await using known = await withKnownHosts(target === undefined ? [] : [target]);
  const trust = target === undefined ? onlyKnown : known.options(target);
  const remote = { host: target?.host ?? host, options: [...options, ...trust] };
  const missing = await missingThere(context, remote, closure);
  if (!isDryRun && missing.length > 0) {
    await copyClosures(remote, storePaths, context.environment, root);
    const [left] = await missingThere(context, remote, missing);
    if (left !== undefined)
      throw new Failure(
        "cache/incomplete",
        `${host} has no ${left.storePath}, which was just copied`,
      );
  }
  return { host: remote.host, missing };
}

function parseAddress(address: string): { host: string; options: readonly string[] } {
  const [, host, port] =
    /^ssh:\/\/([^-/?#:\s][^/?#:\s]*)(?::([0-9]{1,5}))?\/?$/u.exec(address) ?? [];
  if (host === undefined)
    throw new Failure(
      "cache/unknown",
      `${JSON.stringify(address)} is not ssh://[USER@]HOST[:PORT]`,
    );
  return { host, options: port === undefined ? [] : ["-p", port] };
}

/** The node that is meant, if the checkout knows it. */
async function nodeAt(context: Context, host: string): Promise<Target | undefined> {
  const repository = await findRepository(context.directory, context.configuration);
  if (repository === undefined) return undefined;
  const cluster = await openWithMarks(context, repository);
  const { record: roster } = await readRoster(cluster);
  const pools: string[] = [];
  for (const { name } of roster.pools)
    if ((await readPool(cluster, roster, name)) !== undefined) pools.push(name);
  const targets = await targetsIn(cluster, roster, pools, repository.configuration.hosts);
  const [, user, name = host] = /^(.*@)?(.*)$/u.exec(host) ?? [];
  for (const target of targets.values()) {
    const at = target.host.replace(/^.*@/u, "");
    if (target.node !== name && at !== name) continue;
    return user === undefined ? target : { ...target, host: `${user}${at}` };
  }
  return undefined;
}

async function missingThere(
  { environment }: Context,
  remote: Remote,
  paths: readonly ValidPath[],
): Promise<ValidPath[]> {
  const list = utf8(paths.map(({ storePath }) => `${storePath}\n`).join(""));
  const command = "xargs nix-store --check-validity --print-invalid";
  const said = (textOf(await runOverSsh(remote, command, list, environment)) ?? "").split("\n");
  return paths.filter(({ storePath }) => said.includes(storePath));
}
