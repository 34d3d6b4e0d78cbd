import { join } from "node:path";
import { hex, textOf, utf8 } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure, type FailureCode } from "../failure.ts";
import { describeFolder } from "../formats/paths.ts";
import {
  createFileExclusive,
  listDirectory,
  makeDirectory,
  readRegularFile,
  removeFile,
} from "../host/files.ts";
import { compareMarks, isNews, type Mark } from "../trust/marks.ts";

// One file a generation seen, made exclusively; the highest is the mark (docs/bundle-format.md
// §10). Two commands at once can't lower it or lose it, and there is no lock that could stay behind.

/** What a machine has seen of a cluster's signed objects. */
export interface Marks {
  /**
   * After it, this machine has seen `bytes` as that generation of the object in `folder`,
   * durably.
   *
   * @param folder - the object's folder in a source, such as `pools/dns`
   * @throws Failure `mark/rolled-back`, `mark/equivocation`, `mark/corrupt`, `generation/leap`, `write/refused`
   */
  see(
    folder: string,
    place: { readonly series: number; readonly generation: number },
    bytes: Uint8Array,
  ): Promise<void>;
}

/** The marks of a machine that keeps none. */
export const noMarks: Marks = { see: () => Promise.resolve() };

/** How marks are kept. */
export interface MarksOptions {
  /** Of the folders that are new; else that of all folders that Sealaunch makes. */
  readonly folderMode?: number;
  /** The hint of a refusal, given the file of the mark; the code's own if undefined. */
  readonly hintOf?: (code: FailureCode, folder: string, file: string) => string | undefined;
  /** Whether what is seen of an object is remembered, or only compared with what was; all is if undefined. */
  readonly isKept?: (folder: string) => boolean;
}

/** The marks below `directory`, which belongs to whoever runs this. */
export function openMarks(directory: string, options: MarksOptions = {}): Marks {
  const { folderMode, hintOf, isKept = () => true } = options;
  return {
    see: async (folder, { series, generation }, bytes) => {
      const place = join(directory, folder);
      const found = { series, generation, hash: hex(sha256(bytes)) };
      const judge = (last: Mark | undefined): boolean => {
        try {
          return isNews(last, found, describeFolder(folder));
        } catch (error) {
          if (!(error instanceof Failure) || last === undefined || hintOf === undefined) {
            throw error;
          }
          const hint = hintOf(error.code, folder, join(place, fileName(last)));
          throw new Failure(error.code, error.message, hint);
        }
      };
      const seen = await readMarks(place);
      if (!judge(seen.at(-1)) || !isKept(folder)) return;
      if (folderMode !== undefined) await makeDirectory(place, folderMode);
      const file = join(place, fileName(found));
      if (!(await createFileExclusive(file, utf8(`${found.hash}\n`), 0o600))) {
        // Another command has just made the same one: judge by what it saw.
        judge((await readMarks(place)).at(-1));
      }
      await Promise.all(seen.map((mark) => removeFile(join(place, fileName(mark)))));
    },
  };
}

const fileName = ({ series, generation }: Mark): string =>
  `${String(series)}.${String(generation)}`;

async function readMarks(place: string): Promise<Mark[]> {
  for (;;) {
    const names = (await listDirectory(place)).filter((name) => /^\d+\.\d+$/u.test(name));
    const marks = await Promise.all(names.map((name) => readMark(place, name)));
    const found = marks.filter((mark) => mark !== undefined);
    // One that was removed meanwhile was so for a higher one, which this list may not have.
    if (found.length === names.length) return found.toSorted(compareMarks);
  }
}

async function readMark(place: string, name: string): Promise<Mark | undefined> {
  const bytes = await readRegularFile(join(place, name), 128);
  // Another command has just removed it, since it made a higher one.
  if (bytes === undefined) return undefined;
  const hash = /^([0-9a-f]{64})\n$/u.exec(textOf(bytes) ?? "")?.[1];
  if (hash === undefined) throw new Failure("mark/corrupt", `mark ${join(place, name)} is no hash`);
  const [series = 0, generation = 0] = name.split(".").map(Number);
  return { series, generation, hash };
}
