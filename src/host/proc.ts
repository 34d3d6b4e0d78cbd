import { closeSync, openSync, readlinkSync, readSync } from "node:fs";

// The kernel says no size of what is below /proc, so that readFileSync takes 64 KiB anew for each file, and
// an agent that looks at a dozen for each start spends a third of its time on freeing them.

let room = Buffer.alloc(64 * 1024);

/**
 * A file below /proc, one character a byte.
 *
 * @throws the system call's error: processes end at any moment
 */
export function readProc(path: string): string {
  return readInto(path).toString("latin1");
}

/** The lines of a file below /proc that have `part` in them, as {@link readProc}. */
export function readProcLines(path: string, part: string): string[] {
  const bytes = readInto(path);
  const lines: string[] = [];
  for (let found = bytes.indexOf(part, 0, "latin1"); found >= 0;) {
    const end = bytes.indexOf("\n", found, "latin1");
    const line = bytes.subarray(
      bytes.lastIndexOf("\n", found, "latin1") + 1,
      end < 0 ? undefined : end,
    );
    lines.push(line.toString("latin1"));
    found = end < 0 ? -1 : bytes.indexOf(part, end, "latin1");
  }
  return lines;
}

/** The bytes of a file, until the next one is read. */
function readInto(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    let size = 0;
    for (;;) {
      const bytesRead = readSync(file, room, size, room.length - size, null);
      size += bytesRead;
      if (bytesRead === 0) return room.subarray(0, size);
      if (size === room.length) room = Buffer.concat([room], 2 * room.length);
    }
  } finally {
    closeSync(file);
  }
}

/** What a link points to; "" if it is gone. */
export function linkTarget(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
