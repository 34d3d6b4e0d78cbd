import { basename, dirname, join, resolve } from "node:path";
import { writeCard } from "../../cluster/cards.ts";
import { findRepository, type Located } from "../../cluster/configuration.ts";
import { utf8, wipe } from "../../crypto/bytes.ts";
import { createIdentity } from "../../crypto/identity.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import type { RepositoryConfiguration } from "../../formats/configuration.ts";
import { formatTime } from "../../formats/fields.ts";
import { parseName } from "../../formats/names.ts";
import { recordFile } from "../../formats/paths.ts";
import { encodeCard } from "../../formats/records/card.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { listDirectory } from "../../host/files.ts";
import { machineName } from "../../host/machine.ts";
import { requireRoot } from "../../host/privileges.ts";
import type { CredentialKey } from "../../host/systemd/creds.ts";
import { openSource } from "../../sources/open.ts";
import type { Context } from "../context.ts";
import { createPublicFile, refuseOverwriting } from "./file.ts";
import { chooseHome, createIn, nodeFiles } from "./home.ts";
import { pathFor, reportNext, reportWritten } from "../report.ts";
import { readSignerKey, signRecord } from "../signing.ts";

/** Where a node's identity comes to lie, and what its card is signed with. */
export interface NodeIdentityOptions {
  readonly into: string;
  /** The private half of the SSH host key. */
  readonly hostKey: string;
  /** The machine's own name if undefined. */
  readonly node: string | undefined;
  /** Where the node will keep its marks; the usual place if undefined. */
  readonly state: string | undefined;
  /** Where `sync` is to keep what the node needs; the node reads its source itself if undefined. */
  readonly mirror: string | undefined;
  /** What the identity is encrypted to; as the directory has it if undefined. */
  readonly key: CredentialKey | "plain" | undefined;
  /** Whether the card is also put into the repository's source. */
  readonly announces: boolean;
}

/**
 * A new identity for a node, its card signed with the host key, and the node's configuration
 * where a repository's is found.
 */
export async function createNodeIdentity(
  context: Context,
  options: NodeIdentityOptions,
): Promise<void> {
  const directory = resolve(context.directory, options.into);
  const node = parseName("node", options.node ?? machineName());
  const home = await chooseHome(context, directory, options.key);
  if (home.isOwn) requireRoot(`make this machine a node, in ${directory}`);
  await refuseExisting(directory, home.path);
  const file = resolve(context.directory, options.hostKey);
  const signer = await readSignerKey(context, file);
  const repository = await findRepository(context.directory, context.configuration);
  if (options.announces && repository === undefined) {
    throw new Failure(
      "configuration/missing",
      `no sealaunch.json in ${context.directory} or above it says where to announce ${node}`,
    );
  }
  const identity = createIdentity();
  const { recipient } = identity;
  const card = encodeCard({ node, recipient, created: formatTime(context.now) });
  const place = (name: string): string => join(directory, name);
  const signature = await signRecord(context, { signer, file }, "card", card);
  const files = new Map<string, Uint8Array>([
    [recordFile.card, card],
    [recordFile.cardSignature, signature],
  ]);
  if (repository !== undefined) {
    const configuration = {
      ...trustOf(repository),
      node,
      identity: home.path,
      ...(options.state === undefined ? {} : { state: resolve(context.directory, options.state) }),
      ...(options.mirror === undefined
        ? {}
        : { mirror: resolve(context.directory, options.mirror) }),
    };
    files.set(nodeFiles.configuration, utf8(`${JSON.stringify(configuration, null, 2)}\n`));
  }
  try {
    await createIn(context, home, identity);
  } finally {
    wipe(identity.seed);
  }
  for (const [name, bytes] of files) await createPublicFile(place(name), bytes);
  context.print(
    `node ${node}, recipient ${recipientId(recipient)}, host key ${fingerprint(signer)}`,
  );
  reportWritten(context, [home.path, ...[...files.keys()].map(place)]);
  if (options.announces && repository !== undefined) {
    const { configuration, directory: base } = repository;
    const source = await openSource(configuration.source, base);
    const folder = await writeCard(source, { node, bytes: card, signature });
    reportWritten(context, [source.place(folder)]);
  }
  if (repository === undefined) {
    context.print(
      `no sealaunch.json was found: write ${place(nodeFiles.configuration)} by hand, or run this where there is one`,
    );
  }
  reportNext(
    context,
    `sealaunch roster add-node ${pathFor(context, directory)} --pool POOL --fingerprint ${fingerprint(signer)}`,
  );
  context.result({
    node,
    recipient,
    id: recipientId(recipient),
    hostKey: signer,
    directory,
    identity: home.path,
  });
}

/** Before anything is written: half of a node's files would be in the way of the next try. */
async function refuseExisting(directory: string, identity: string): Promise<void> {
  const names = [nodeFiles.configuration, recordFile.card, recordFile.cardSignature];
  const paths = [
    identity,
    ...[...Object.values(nodeFiles), ...names].map((name) => join(directory, name)),
  ];
  for (const path of paths) {
    const present = await listDirectory(dirname(path));
    if (present.includes(basename(path))) refuseOverwriting(path);
  }
}

/** What a node is configured to trust: what the repository is, with the source's whole path. */
function trustOf({
  configuration: { cluster, source, roots, threshold },
  directory,
}: Located<RepositoryConfiguration>): RepositoryConfiguration {
  const scheme = "dir:";
  const whole = source.startsWith(scheme)
    ? scheme + resolve(directory, source.slice(scheme.length))
    : source;
  return { cluster, source: whole, roots, threshold };
}
