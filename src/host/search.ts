import { constants, createReadStream } from "node:fs";
import { lstat, open, readdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { createZstdDecompress } from "node:zlib";
import { Scanner, type Sought } from "./needles.ts";
import { findProgram, streamOf } from "./process.ts";

/** Where something that was sought stands. */
export interface Place {
  /** A file, or a process's command line or environment. */
  readonly place: string;
  /** What stands there, by name. */
  readonly names: readonly string[];
}

const windowSize = 1 << 20;

/** The names of what is sought that stand in a plain file; none if it can't be read. */
async function namesInFile(
  path: string,
  sought: readonly Sought[],
  window: Buffer,
): Promise<readonly string[]> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return [];
  const scanner = new Scanner(sought);
  try {
    while (!scanner.isDone) {
      const { bytesRead } = await file.read(window, 0, window.length, null);
      if (bytesRead === 0) break;
      scanner.push(window.subarray(0, bytesRead));
    }
  } catch {
    // What can't be read to its end was searched up to there.
  } finally {
    await file.close();
  }
  return scanner.found;
}

async function namesInStream(
  stream: AsyncIterable<Uint8Array>,
  sought: readonly Sought[],
): Promise<readonly string[]> {
  const scanner = new Scanner(sought);
  for await (const piece of stream) scanner.push(piece);
  return scanner.found;
}

// proc, sysfs, cgroup, cgroup2, debugfs, tracefs, bpf, securityfs, devpts: what the kernel makes up.
const madeUp = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0xcafe4a11, 0x73636673, 0x1cd1,
]);

async function* filesBelow(
  path: string,
  except: readonly string[],
  device?: number,
): AsyncGenerator<string> {
  if (except.includes(path) || ["/proc", "/sys", "/dev"].includes(path)) return;
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isFile() === true) yield path;
  if (facts?.isDirectory() !== true) return;
  if (facts.dev !== device) {
    const type = (await statfs(path).catch(() => undefined))?.type;
    if (type !== undefined && madeUp.has(type)) return;
  }
  for (const name of await readdir(path).catch(() => [])) {
    yield* filesBelow(join(path, name), except, facts.dev);
  }
}

/**
 * The files below `roots` in which something that is sought stands. What zstd(1) has packed, as it does
 * core dumps, is unpacked.
 *
 * @param except - files and directories that are passed over
 */
export async function* searchFiles(
  sought: readonly Sought[],
  roots: readonly string[],
  except: readonly string[] = [],
): AsyncGenerator<Place> {
  const window = Buffer.alloc(windowSize);
  for (const root of roots) {
    for await (const place of filesBelow(root, except)) {
      const plain = await namesInFile(place, sought, window);
      const packed = place.endsWith(".zst")
        ? await namesInStream(
            createReadStream(place).pipe(createZstdDecompress()) as AsyncIterable<Uint8Array>,
            sought,
          ).catch(() => [])
        : [];
      const names = [...new Set([...plain, ...packed])];
      if (names.length > 0) yield { place, names };
    }
  }
}

/** The command lines and environments of processes in which something that is sought stands. */
export async function* searchProcesses(
  sought: readonly Sought[],
  except: readonly string[] = [],
): AsyncGenerator<Place> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    for (const place of [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]) {
      // These files say that they have no bytes, and are read whole.
      const bytes = except.includes(place)
        ? undefined
        : await readFile(place).catch(() => undefined);
      if (bytes === undefined) continue;
      const scanner = new Scanner(sought);
      scanner.push(bytes);
      if (scanner.found.length > 0) yield { place, names: scanner.found };
    }
  }
}

/** What stands in the journal, whose files are packed field by field. @throws Failure `program/missing` */
export async function* searchJournal(sought: readonly Sought[]): AsyncGenerator<Place> {
  const journalctl = await findProgram("journalctl");
  const stream = streamOf(journalctl, ["--no-pager", "--quiet", "--output=export"]);
  const names = await namesInStream(stream, sought);
  if (names.length > 0) yield { place: "the journal", names };
}
