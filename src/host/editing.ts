import { mkdtemp, statfs } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { Failure } from "../failure.ts";
import { createFileExclusive, readRegularFile } from "./files.ts";
import { isInMemory } from "./memory.ts";
import { afterwards, runAttended } from "./process.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a person makes of `value` in the editor that VISUAL, else EDITOR names, else in vi. Meanwhile it is
 * in a file that the person alone can reach, on a file system in memory, as are the editor's temporary
 * files; both are gone when this ends or this process does, however that happens.
 *
 * @param name - of the file, which editors show
 * @param maxBytes - what may come back
 * @returns new bytes, which the caller wipes
 * @throws Failure `mount/not-memory`, `write/refused`; `editor/failed` if the editor fails or leaves no
 *   such file; `credential/too-large`
 */
export async function editInMemory(
  name: string,
  value: Uint8Array,
  environment: Environment,
  maxBytes: number,
): Promise<Uint8Array> {
  const directory = await mkdtemp(join(await placeInMemory(environment), "sealaunch-edit-"));
  const removed = await afterwards('rm -rf -- "$1"', [directory]);
  try {
    const file = join(directory, name);
    await createFileExclusive(file, value, 0o600);
    const named = [environment["VISUAL"] ?? "", environment["EDITOR"] ?? ""];
    const editor = named.find((one) => one !== "") ?? "vi";
    // As git does: the variable may have words and quotes of its own.
    const words = ["-c", `${editor} "$@"`, editor, file];
    const status = await runAttended("/bin/sh", words, { ...environment, TMPDIR: directory });
    if (status !== 0) {
      throw new Failure(
        "editor/failed",
        `the editor (${editor}) ended with ${String(status ?? "a signal")}, so nothing is sealed`,
        "run it again; EDITOR names another editor",
      );
    }
    return await readBack(file, name, maxBytes);
  } finally {
    await removed();
  }
}

/** @throws Failure `mount/not-memory` */
async function placeInMemory({ XDG_RUNTIME_DIR: runtime = "" }: Environment): Promise<string> {
  const places = [...(isAbsolute(runtime) ? [runtime] : []), "/dev/shm"];
  for (const place of places) {
    if (await statfs(place).then(isInMemory, () => false)) return place;
  }
  throw new Failure(
    "mount/not-memory",
    `nothing is edited: ${places.join(" and ")} ${places.length === 1 ? "is" : "are"} no file system in memory`,
    "export XDG_RUNTIME_DIR=DIR, a directory of yours on tmpfs",
  );
}

async function readBack(file: string, name: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readRegularFile(file, maxBytes).catch(() => {
    throw new Failure(
      "credential/too-large",
      `credential ${name} is over ${String(maxBytes)} bytes after editing, or its file no plain file, so nothing is sealed`,
    );
  });
  if (bytes !== undefined) return bytes;
  throw new Failure(
    "editor/failed",
    `the editor left no file ${name}, so nothing is sealed`,
    "save it under the name it has",
  );
}
