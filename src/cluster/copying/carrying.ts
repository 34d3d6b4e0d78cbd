import { equalBytes, hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import { maxSignatureSize } from "../../formats/sshsig/signature.ts";
import type { Source } from "../../sources/source.ts";
import { isSignature, maxSignatures } from "../generations.ts";

/** One thing that a source lacks and another has. */
export interface Step {
  readonly path: string;
  /** Puts it there. @throws Failure `generation/conflict`; `source/…`, `write/refused` */
  carry(): Promise<void>;
}

/** From where to where. */
export interface Way {
  readonly from: Source;
  readonly to: Source;
}

/** An object that stands by itself, judged as it is carried: who wrote it may write again. */
export function objectStep(
  { from, to }: Way,
  path: string,
  maxBytes: number,
  judge: (bytes: Uint8Array) => void,
): Step {
  return {
    path,
    carry: async () => {
      const bytes = await from.read(path, maxBytes);
      // Gone since: whoever took it away knows why.
      if (bytes === undefined) return;
      judge(bytes);
      await to.write(path, bytes);
    },
  };
}

/** A generation to carry. */
export interface Folder {
  /** `bundle dns 0.3` */
  readonly what: string;
  readonly path: string;
  /** Its record's name. */
  readonly record: string;
  /** Hex of the SHA-256 of its record, which was judged. */
  readonly hash: string;
  /** What else lies in it, by name, judged too. */
  readonly others: ReadonlyMap<string, Uint8Array>;
  readonly maxBytes: number;
}

/**
 * What brings a generation there: whole where it isn't, else the signatures that were added since.
 *
 * @throws Failure `generation/conflict` if another is there under its number
 */
export async function folderSteps({ from, to }: Way, folder: Folder): Promise<Step[]> {
  const { what, path, record, hash, maxBytes, others } = folder;
  const there = await to.read(`${path}/${record}`, maxBytes);
  const present = there === undefined ? [] : await to.list(`${path}/signatures`);
  if (there !== undefined && hex(sha256(there)) !== hash) throw conflict(to, what);
  const names = (await from.list(`${path}/signatures`)).filter(isSignature).slice(0, maxSignatures);
  const missing = names.filter((name) => !present.includes(name));
  if (there !== undefined) {
    return missing.map((name) =>
      objectStep({ from, to }, `${path}/signatures/${name}`, maxSignatureSize, () => undefined),
    );
  }
  const carry = async (): Promise<void> => {
    const bytes = await from.read(`${path}/${record}`, maxBytes);
    if (bytes === undefined || hex(sha256(bytes)) !== hash)
      throw new Failure(
        "generation/conflict",
        `${from.name} has ${what} no longer as it was judged`,
      );
    const files = new Map<string, Uint8Array>([[record, bytes], ...others]);
    for (const name of names) {
      const signature = await from.read(`${path}/signatures/${name}`, maxSignatureSize);
      if (signature !== undefined) files.set(`signatures/${name}`, signature);
    }
    if (await to.publish(path, files)) return;
    const theirs = await to.read(`${path}/${record}`, maxBytes);
    if (theirs === undefined || !equalBytes(theirs, bytes)) throw conflict(to, what);
  };
  return [{ path, carry }];
}

function conflict(to: Source, what: string): Failure {
  return new Failure(
    "generation/conflict",
    `${to.name} has another ${what}: two have made that number`,
    "look at both; then make the change anew on top of theirs",
  );
}
