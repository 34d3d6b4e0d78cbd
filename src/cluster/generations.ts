import { recordFile, rosterFolder } from "../formats/paths.ts";
import { signerKeyId, type SignerKey } from "../formats/sshsig/public-key.ts";
import { maxSignatureSize } from "../formats/sshsig/signature.ts";
import type { Source } from "../sources/source.ts";
import type { SignedBytes } from "../trust/signed.ts";

/** More signatures than anybody needs; the rest isn't read, so that a source can't make us work. */
const maxSignatures = 32;

/** Whether a name is that of a signature. */
const isSignature = (name: string): boolean => /^[0-9a-f]{32}\.sig$/u.test(name);

/**
 * The numbers that name folders within `folder`, in no order.
 *
 * @param series - only of the folders `SERIES.NUMBER` of that series
 */
export async function generationsIn(
  source: Source,
  folder: string,
  series?: number,
): Promise<number[]> {
  const prefix = series === undefined ? "" : `${String(series)}\\.`;
  const pattern = new RegExp(`^${prefix}([1-9][0-9]{0,14})$`, "u");
  return (await source.list(folder)).flatMap((name) => {
    const number = pattern.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** The highest number that names a folder within `folder`; undefined if none does. */
export async function newestGeneration(
  source: Source,
  folder: string = rosterFolder,
  series?: number,
): Promise<number | undefined> {
  const numbers = await generationsIn(source, folder, series);
  const most = numbers.reduce((a, b) => Math.max(a, b), 0);
  return most === 0 ? undefined : most;
}

/**
 * A signed record and the signatures beside it; undefined if the record isn't there.
 *
 * @param known - keys whose signatures are read before any others: whoever can write to the source could
 *   else put so many beside the good one that it isn't read
 */
export async function readSigned(
  source: Source,
  folder: string,
  record: keyof typeof recordFile,
  maxBytes: number,
  known: readonly SignerKey[],
): Promise<SignedBytes | undefined> {
  const [bytes, names] = await Promise.all([
    source.read(`${folder}/${recordFile[record]}`, maxBytes),
    source.list(`${folder}/signatures`),
  ]);
  if (bytes === undefined) return undefined;
  const first = known
    .map((key) => `${signerKeyId(key)}.sig`)
    .filter((name) => names.includes(name));
  const others = names.filter(isSignature);
  const files = [...new Set([...first, ...others])].slice(0, maxSignatures);
  const signatures = await Promise.all(
    files.map((name) => source.read(`${folder}/signatures/${name}`, maxSignatureSize)),
  );
  return { bytes, signatures: signatures.filter((signature) => signature !== undefined) };
}
