import { dirname, resolve } from "node:path";
import { repositoryFile } from "../../cluster/configuration.ts";
import { noMarks } from "../../cluster/marks.ts";
import { noMemory } from "../../cluster/memory.ts";
import { successor } from "../../cluster/publishing.ts";
import { hex, randomBytes } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { encodeRoster, type Roster } from "../../formats/records/roster.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import { openSource } from "../../sources/open.ts";
import { listKeys } from "../../trust/signed.ts";
import type { Context } from "../context.ts";
import { refuseExisting, writeAttributes, writeConfiguration } from "./files.ts";
import { readOperators } from "./operators.ts";
import { reportNext, reportWritten } from "../report.ts";
import { showChange, writeRoster } from "../roster/change.ts";
import { chooseSigner, heldKeys, readSignerKey, signRecord } from "../signing.ts";

/** What a new cluster begins with. */
export interface InitOptions {
  /** Files of root keys; the one that is held here if none is given. */
  readonly roots: readonly string[];
  readonly threshold: number;
  readonly operators: readonly string[];
  readonly signer: string | undefined;
}

const clusterSize = 16;

/** A new cluster in the current directory: its configuration, and its first roster, signed. */
export async function init(context: Context, options: InitOptions): Promise<void> {
  const file = resolve(context.directory, context.configuration ?? repositoryFile);
  const directory = dirname(file);
  const source = await openSource("dir:.", directory);
  await refuseExisting(context, file, source);
  const operators = await readOperators(context, options.operators);
  const roots = await readRoots(context, options.roots);
  const { threshold } = options;
  if (threshold > roots.length) {
    throw new Failure(
      "usage/invalid",
      `threshold ${String(threshold)} is above the number of root keys, ${String(roots.length)}`,
      "name more keys: --root KEY.pub",
    );
  }
  const chosen = options.signer ?? (await onlyRootFile(context, options.roots, roots));
  const signer = await chooseSigner(context, roots, chosen, "roster 1");
  const cluster = hex(randomBytes(clusterSize));
  const roster: Roster = {
    type: "roster",
    version: 1,
    cluster,
    ...successor(undefined, context.now),
    threshold,
    roots,
    pools: [],
    signers: [],
    operators,
    names: [],
  };
  context.print(`cluster ${cluster}`);
  showChange(context, undefined, roster);
  await context.confirm(`sign roster 1 as ${fingerprint(signer.signer)}?`);
  const bytes = encodeRoster(roster);
  const signatures = new Map([[signer.signer, await signRecord(context, signer, "roster", bytes)]]);
  const trusted = { cluster, roots, threshold };
  const isComplete = await writeRoster(
    context,
    { trusted, source, marks: noMarks, memory: noMemory, now: context.now },
    roster,
    bytes,
    signatures,
  );
  const attributes = await writeAttributes(directory);
  await writeConfiguration(file, { cluster, source: "dir:.", roots, threshold });
  reportWritten(context, [attributes, file]);
  adviseOnRoots(context, roots);
  reportNext(context, isComplete ? "sealaunch roster add-pool POOL" : "sealaunch roster sign");
  context.result({ cluster, roots, threshold, operators, complete: isComplete });
}

/** The root keys in `files`, in the order of records; else the one key that is held here. */
async function readRoots(context: Context, files: readonly string[]): Promise<SignerKey[]> {
  if (files.length > 0) {
    const keys = await Promise.all(files.map((file) => readSignerKey(context, file)));
    return [...new Set(keys)].sort();
  }
  const held = [...(await heldKeys(context)).keys()];
  if (held.length === 1) return held;
  throw new Failure(
    "signer/none",
    `no root key is named, and you hold ${held.length === 0 ? "no ed25519 key" : listKeys(held)}`,
    "name it: sealaunch init --root KEY.pub",
  );
}

/** Who names one root key by file means to sign with it, though no agent holds it. */
async function onlyRootFile(
  context: Context,
  files: readonly string[],
  roots: readonly SignerKey[],
): Promise<string | undefined> {
  if (files.length !== 1) return undefined;
  const held = await heldKeys(context);
  return roots.some((root) => held.has(root)) ? undefined : files[0];
}

function adviseOnRoots(context: Context, roots: readonly SignerKey[]): void {
  if (roots.every((root) => root.startsWith("sk-"))) return;
  context.print(
    "whoever has the root keys decides everything: keep them on security keys (ssh-keygen -t ed25519-sk), or out of agents",
  );
}
