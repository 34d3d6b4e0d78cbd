import { unlink, type FileHandle } from "node:fs/promises";
import { Failure } from "../failure.ts";
import { errorCode } from "../host/error-code.ts";

/** What lies on the disk until it is in the cache. */
export interface Spooled {
  readonly file: FileHandle;
  /** Where it lies; nowhere any more once the file belongs to nobody else. */
  readonly path: string;
  readonly size: number;
}

/** What is put into a cache. Both can be sent again. */
export type Body = Uint8Array | Spooled;

/** Is told how many bytes of a body are on their way. */
export type Sent = (bytes: number) => void;

/** A binary cache that can be filled: opaque bytes by name, such as `nar/HASH.nar.zst`. */
export interface Cache {
  /** Its address as it was given. */
  readonly name: string;
  /** The directory in which large bodies wait; undefined for the one of temporary files. */
  readonly spools: string | undefined;
  /** How many things it is asked at once. */
  readonly width: number;
  /** What has that name, of at most 1 MiB; undefined if nothing. @throws Failure `cache/…` */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Whether something has that name. @throws Failure `cache/…` */
  has(key: string): Promise<boolean>;
  /**
   * After it, that is what has the name: whole, or nothing has changed.
   *
   * @param sent - may be told how many bytes of what was spooled are on their way; again from the beginning if
   *   it is sent again
   * @throws Failure `cache/…`
   */
  put(key: string, body: Body, sent?: Sent): Promise<void>;
  /** After it, all that was put outlasts a power cut. */
  settle(): Promise<void>;
}

/** How much {@link Cache.get} reads. */
export const maxObjectSize = 1024 * 1024;

export function sizeOf(body: Body): number {
  return body instanceof Uint8Array ? body.length : body.size;
}

/** What was spooled, from its beginning. The file stays open, however that ends. */
export async function* piecesOf({ file, size }: Spooled, sent?: Sent): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < size;) {
    const buffer = Buffer.allocUnsafe(Math.min(256 * 1024, size - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error("internal: a spooled archive became shorter");
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
    sent?.(position);
  }
}

/** Closes and removes what was spooled. */
export async function discard(body: Body): Promise<void> {
  if (body instanceof Uint8Array) return;
  await body.file.close();
  await unlink(body.path).catch(() => undefined);
}

/** What kind of thing a name in the cache stands for, as HTTP says it. */
export function mediaType(key: string): string {
  if (key.endsWith(".narinfo")) return "text/x-nix-narinfo";
  if (key.startsWith("nar/")) return "application/x-nix-nar";
  return key === "nix-cache-info" ? "text/x-nix-cache-info" : "application/json";
}

/** Why something on a disk could not be read or written. */
export function diskFailure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = errorCode(error);
  if (["ENOSPC", "EDQUOT", "EFBIG"].includes(code))
    return new Failure("cache/full", `${what} can't be written: no space left (${code})`);
  const kind = ["EACCES", "EPERM", "EROFS"].includes(code) ? "cache/forbidden" : "cache/failed";
  return new Failure(kind, `${what} can't be read or written: ${code}`);
}
