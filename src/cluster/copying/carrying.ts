import { equalBytes, hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import { recordFile, signatureFile } from "../../formats/paths.ts";
import type { SignerKey } from "../../formats/sshsig/public-key.ts";
import type { SignedType } from "../../formats/sshsig/signature.ts";
import type { Source } from "../../sources/source.ts";
import { signersOf, type SignedBytes } from "../../trust/signed.ts";
import { readSigned } from "../generations.ts";
import { readPlain, type Step, type Way } from "./objects.ts";

/** A generation to carry. */
export interface Folder {
  /** `bundle dns 0.3` */
  readonly what: string;
  readonly path: string;
  readonly record: "roster" | "pool" | "statement";
  /** Hex of the SHA-256 of its record, which was judged. */
  readonly hash: string;
  /** What else lies in it, by name, judged too. */
  readonly others: ReadonlyMap<string, Uint8Array>;
  readonly maxBytes: number;
  /** Whose signatures come first. */
  readonly known: readonly SignerKey[];
}

/**
 * What brings a generation there: whole where it isn't, or where nobody has signed it as it stands; else
 * what of it is missing or damaged. Only signatures that verify are carried.
 *
 * @throws Failure `generation/conflict` if another is there under its number
 */
export async function folderSteps(way: Way, folder: Folder): Promise<Step[]> {
  const { path, record, others } = folder;
  const { to } = way;
  const there = await readPresent(to, folder);
  if (there === undefined) return [{ path, carry: () => carryFolder(way, folder) }];
  const present = goodSignatures(there, record);
  const good = await readFolder(way.from, folder);
  const missing = new Map(good === undefined ? [] : goodSignatures(good, record));
  for (const name of present.keys()) missing.delete(name);
  for (const [name, bytes] of others) {
    const found = await readPlain(to, `${path}/${name}`, bytes.length);
    if (found === undefined || !equalBytes(found, bytes)) missing.set(name, bytes);
  }
  return [...missing].map(([name, bytes]) => ({
    path: `${path}/${name}`,
    carry: () => to.write(`${path}/${name}`, bytes),
  }));
}

async function carryFolder({ from, to }: Way, folder: Folder): Promise<void> {
  const { what, path, record, hash, others } = folder;
  const read = await readFolder(from, folder);
  if (read === undefined || hex(sha256(read.bytes)) !== hash)
    throw new Failure("generation/conflict", `${from.name} has ${what} no longer as it was judged`);
  const besides = new Map([...others, ...goodSignatures(read, record)]);
  const file = recordFile[record];
  if (await to.publish(path, new Map([[file, read.bytes], ...besides]))) return;
  // Somebody was first, or it is what is left of one: the record comes last, as what names the others.
  if ((await readPresent(to, folder)) !== undefined) return;
  for (const [name, bytes] of besides) await to.write(`${path}/${name}`, bytes);
  await to.write(`${path}/${file}`, read.bytes);
}

/** That very generation as it is there; undefined if none is that anybody has signed. @throws Failure `generation/conflict` */
async function readPresent(to: Source, folder: Folder): Promise<SignedBytes | undefined> {
  const there = await readFolder(to, folder);
  if (there === undefined || hex(sha256(there.bytes)) === folder.hash) return there;
  if (goodSignatures(there, folder.record).size === 0) return undefined;
  throw new Failure(
    "generation/conflict",
    `${to.name} has another ${folder.what}: two have made that number`,
    "look at both; then make the change anew on top of theirs",
  );
}

const readFolder = (
  source: Source,
  { path, record, maxBytes, known }: Folder,
): Promise<SignedBytes | undefined> => readSigned(source, path, record, maxBytes, known);

/** Signatures over a record that verify, by where they lie within its folder. */
function goodSignatures(signed: SignedBytes, record: Folder["record"]): Map<string, Uint8Array> {
  const { armoured } = signersOf(signed, typeOf[record]);
  return new Map([...armoured].map(([signer, bytes]) => [signatureFile(signer), bytes]));
}

const typeOf: Readonly<Record<Folder["record"], SignedType>> = {
  roster: "roster",
  pool: "pool",
  statement: "bundle",
};
