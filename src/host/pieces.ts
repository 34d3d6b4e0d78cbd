import { open } from "node:fs/promises";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";

const pieceSize = 1024 * 1024;

/**
 * The bytes of a file, a piece at a time, for what is too large to be held whole.
 *
 * @throws Failure `file/absent` if there is no such file, or none that can be read
 */
export async function* piecesOf(path: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw new Failure("file/absent", `${path} can't be read: ${errorCode(error)}`);
  });
  try {
    if (!(await file.stat()).isFile()) throw new Failure("file/absent", `${path} is no file`);
    for (;;) {
      const piece = new Uint8Array(pieceSize);
      const { bytesRead } = await file.read(piece, 0, pieceSize);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
