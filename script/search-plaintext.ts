// Looks for a secret everywhere an attacker could: in files, and in the command line and the
// environment of every process. Prints places, never values.
//
//   node script/search-plaintext.ts --secret FILE [--except PATH]… [--processes] DIRECTORY…
//
// Ends with 1 if it was found anywhere but in FILE and below --except.
import { constants } from "node:fs";
import { lstat, open, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** The ways a secret would be written by a program that is careless with it. */
export function spellings(secret: Buffer): Buffer[] {
  // Base64 of a secret within something longer depends on where it begins: three alignments,
  // of each the characters that don't depend on its neighbours.
  const base64 = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), secret]).toString("base64");
    const inner = text.slice(
      Math.ceil((before * 8) / 6),
      Math.floor(((before + secret.length) * 8) / 6),
    );
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const hex = secret.toString("hex");
  return [
    secret,
    ...[...new Set([...base64, hex, hex.toUpperCase()])].map((text) => Buffer.from(text)),
  ];
}

const windowSize = 1 << 20;

/** Whether any of `needles` occurs in the file; false if it can't be read or isn't a plain file. */
async function fileHolds(path: string, needles: readonly Buffer[]): Promise<boolean> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isFile() !== true) return false;
  const file = await open(
    path,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  ).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const overlap = Math.max(...needles.map((needle) => needle.length));
    const window = Buffer.alloc(windowSize + overlap);
    let kept = 0;
    for (;;) {
      const { bytesRead } = await file.read(window, kept, windowSize, null);
      if (bytesRead === 0) return false;
      const filled = window.subarray(0, kept + bytesRead);
      if (needles.some((needle) => filled.includes(needle))) return true;
      kept = Math.min(overlap, filled.length);
      filled.copy(window, 0, filled.length - kept);
    }
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

const memoryless = new Set(["/proc", "/sys", "/dev"]);

async function* filesBelow(path: string, except: readonly string[]): AsyncGenerator<string> {
  if (except.includes(path) || memoryless.has(path)) return;
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isFile() === true) yield path;
  if (facts?.isDirectory() !== true) return;
  for (const name of await readdir(path).catch(() => [])) {
    yield* filesBelow(join(path, name), except);
  }
}

async function* processPlaces(): AsyncGenerator<string> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    yield `/proc/${pid}/cmdline`;
    yield `/proc/${pid}/environ`;
  }
}

/** The places below `roots`, and of every process if asked, where `secret` stands. */
export async function searchPlaintext(
  secret: Buffer,
  roots: readonly string[],
  { except = [], processes = false }: { except?: readonly string[]; processes?: boolean } = {},
): Promise<string[]> {
  const needles = spellings(secret);
  const found: string[] = [];
  for (const root of roots) {
    for await (const path of filesBelow(root, except)) {
      if (await fileHolds(path, needles)) found.push(path);
    }
  }
  if (!processes) return found;
  for await (const path of processPlaces()) {
    // These files say that they have no bytes, and are read whole.
    const bytes = except.includes(path) ? undefined : await readFile(path).catch(() => undefined);
    if (bytes !== undefined && needles.some((needle) => bytes.includes(needle))) found.push(path);
  }
  return found;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      secret: { type: "string" },
      except: { type: "string", multiple: true, default: [] },
      processes: { type: "boolean", default: false },
    },
  });
  const file = resolve(values.secret ?? "");
  const found = await searchPlaintext(
    await readFile(file),
    positionals.map((path) => resolve(path)),
    {
      except: [file, ...values.except.map((path) => resolve(path))],
      processes: values.processes,
    },
  );
  for (const place of found) console.log(place);
  process.exitCode = found.length === 0 ? 0 : 1;
}
