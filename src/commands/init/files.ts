import { join } from "node:path";
import { newestGeneration } from "../../cluster/generations.ts";
import { concatBytes, textOf, utf8 } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import type { RepositoryConfiguration } from "../../formats/configuration.ts";
import { pendingRosterPath, rosterFolder } from "../../formats/paths.ts";
import { createFileExclusive, readRegularFile, writeFileAtomic } from "../../host/files.ts";
import type { Source } from "../../sources/source.ts";
import type { Context } from "../context.ts";
import { pathFor } from "../report.ts";

const publicMode = 0o644;
const maxFileSize = 1024 * 1024;

/** @throws Failure `usage/exists` if the configuration `file` or a roster is there */
export async function refuseExisting(
  context: Context,
  file: string,
  source: Source,
): Promise<void> {
  const pending = pendingRosterPath(1);
  const found =
    (await readRegularFile(file, maxFileSize)) !== undefined
      ? file
      : (await newestGeneration(source)) !== undefined
        ? source.place(rosterFolder)
        : (await source.list(pending)).length > 0
          ? source.place(pending)
          : undefined;
  if (found === undefined) return;
  throw new Failure(
    "usage/exists",
    `there is a cluster already: ${pathFor(context, found)}`,
    "see it with 'sealaunch roster show', or run init in another directory",
  );
}

const attributes = `# Sealaunch signs and hashes exact bytes: git must neither change nor merge them.
keys/** -text -merge
keys/entries/** binary
secrets/** -text -merge
secrets/headers/** binary
secrets/bundles/**/values/** binary
`;

/**
 * After it, git leaves the cluster's objects in `directory` as they are; what its `.gitattributes`
 * said before it still says.
 *
 * @returns the file
 */
export async function writeAttributes(directory: string): Promise<string> {
  const path = join(directory, ".gitattributes");
  const before = (await readRegularFile(path, maxFileSize)) ?? new Uint8Array();
  if (textOf(before)?.includes(attributes) === true) return path;
  const separator = [undefined, 0x0a].includes(before.at(-1)) ? "" : "\n";
  await writeFileAtomic(path, concatBytes(before, utf8(separator + attributes)), publicMode);
  return path;
}

/** After it, `path` holds the configuration. @throws Failure `usage/exists` if it was there */
export async function writeConfiguration(
  path: string,
  configuration: RepositoryConfiguration,
): Promise<void> {
  const bytes = utf8(`${JSON.stringify(configuration, null, 2)}\n`);
  if (await createFileExclusive(path, bytes, publicMode)) return;
  throw new Failure("usage/exists", `${path} is there already`);
}
