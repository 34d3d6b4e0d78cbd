import type { Members } from "./etcd.ts";
import type { Keys } from "./etcd-keys.ts";

// One transaction takes at most 128 operations and, unless etcd is told otherwise, 1.5 MiB.
const mostFiles = 100;
const mostBytes = 1024 * 1024;

type Files = readonly (readonly [name: string, bytes: Uint8Array])[];

/**
 * Whether this call made a folder with those files in it, in one transaction that finds the folder
 * empty.
 *
 * The entries of an epoch may be more than one transaction takes: there the first claims the folder and
 * the others follow. Nobody looks into it before the pool file names it, and a number that was claimed
 * and left is passed over.
 *
 * @throws Failure `source/…`
 */
export async function publishFolder(
  members: Members,
  keys: Keys,
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<boolean> {
  const mayFollow = folder.startsWith("entries/");
  const [first = [], ...others] = mayFollow ? partsOf([...files]) : [[...files]];
  if (!(await claim(members, keys, folder, first))) return false;
  for (const part of others) {
    await members.ask(`write ${folder}`, ({ client, options }) =>
      client.kv.txn({ success: puts(keys, folder, part) }, options),
    );
  }
  return true;
}

async function claim(members: Members, keys: Keys, folder: string, files: Files): Promise<boolean> {
  const compare = [
    // Of no key below it there is a version; of a key that is there it is at least 1.
    { ...keys.below(folder), target: "Version" as const, result: "Equal" as const, version: 0 },
  ];
  const success = puts(keys, folder, files);
  const failure = files.map(([name]) => ({
    request_range: { key: keys.key(`${folder}/${name}`), limit: 1 },
  }));
  const { answer, isAgain } = await members.ask(
    `write ${folder}`,
    async ({ client, options, isAgain }) => ({
      answer: await client.kv.txn({ compare, success, failure }, options),
      isAgain,
    }),
  );
  if (answer.succeeded) return true;
  // Whom we asked first may have done it, and died before it said so: then all is there as we sent it.
  return (
    isAgain &&
    files.every(([, bytes], index) => {
      const found = answer.responses[index]?.response_range.kvs[0]?.value;
      return found !== undefined && Buffer.compare(found, bytes) === 0;
    })
  );
}

function puts(keys: Keys, folder: string, files: Files) {
  return files.map(([name, bytes]) => ({
    request_put: { key: keys.key(`${folder}/${name}`), value: Buffer.from(bytes) },
  }));
}

/** Files in groups that a transaction takes. */
function partsOf(files: Files): Files[] {
  const parts: (readonly [string, Uint8Array])[][] = [];
  let size = Infinity;
  for (const file of files) {
    const [, { length }] = file;
    const last = parts.at(-1);
    if (last === undefined || last.length === mostFiles || size + length > mostBytes) {
      parts.push([file]);
      size = length;
    } else {
      last.push(file);
      size += length;
    }
  }
  return parts;
}
