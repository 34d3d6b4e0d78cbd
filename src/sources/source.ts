import { Failure } from "../failure.ts";
import type { Revision } from "./revision.ts";

/**
 * Where sealed objects live. Carries opaque bytes under paths of docs/bundle-format.md §3, and
 * can't read what it carries.
 */
export interface Source {
  /** Names the source in messages, such as `dir:/srv/sealaunch`. */
  readonly name: string;

  /** Where the object or folder at `path` is, for people. */
  place(path: string): string;

  /**
   * The bytes at `path`, or undefined if nothing is there.
   *
   * @throws Failure `source/hostile` if it is no plain file or has more than `maxBytes`;
   *   `source/unreadable`
   */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;

  /** The names directly within `folder`, in no order; none if nothing is there. */
  list(folder: string): Promise<string[]>;

  /** After it, `path` holds `bytes`, whole and durable. @throws Failure `write/refused` */
  write(path: string, bytes: Uint8Array): Promise<void>;

  /**
   * Whether this call made `folder`, with all of `files` in it, whole and durable at once. False
   * if the folder was there before, which then stays as it was.
   *
   * @param files - by path within the folder
   * @throws Failure `write/refused`
   */
  publish(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<boolean>;

  /**
   * After it, neither an object nor a folder is at `path`; what isn't there stays away.
   *
   * @throws Failure `write/refused`
   */
  remove(path: string): Promise<void>;
}

/**
 * The source that `url` names. What a kind of source needs is loaded only for that kind.
 *
 * @param url - `dir:PATH`; a relative path is taken from `base`
 * @throws Failure `source/unknown`
 */
export async function openSource(url: string, base: string): Promise<Source> {
  if (url.startsWith("dir:")) {
    const { openDirectory } = await import("./directory.ts");
    return openDirectory(url.slice("dir:".length), base);
  }
  throw new Failure("source/unknown", `source ${JSON.stringify(url.slice(0, 80))} is not dir:PATH`);
}

/**
 * The source that `url` names, as it stood at a revision of git.
 *
 * @throws Failure `source/unknown` if it is none that git could hold; `git/failed`
 */
export async function openSourceAt(
  url: string,
  base: string,
  revision: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Revision> {
  if (url.startsWith("dir:")) {
    const { openRevision } = await import("./revision.ts");
    return openRevision(url.slice("dir:".length), base, revision, environment);
  }
  throw new Failure(
    "source/unknown",
    `source ${JSON.stringify(url.slice(0, 80))} has no revisions of git`,
    "run it in a checkout whose source is dir:PATH",
  );
}
