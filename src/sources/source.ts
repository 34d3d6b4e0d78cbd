import type { Failure } from "../failure.ts";

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

  /**
   * Tells what changes below `folders`, until `signal` ends it. Only of a source that can tell. What
   * isn't taken at once is told together later; nothing is missed.
   *
   * @param folders - such as `roster` or `headers/web`
   */
  watch?(folders: readonly string[], signal: AbortSignal): AsyncIterable<Change>;

  /**
   * Tells the objects below `folder` that were written after `since`. Only of a source that can tell.
   *
   * @param since - what it said before; all objects are told if undefined, or if the source is another
   *   since, or was set back
   * @param isWanted - which of them are told
   */
  changedSince?(
    folder: string,
    since: string | undefined,
    isWanted: (path: string) => boolean,
  ): Promise<Written>;

  /**
   * Whether the user that the source knows us as may write and remove all paths that begin so. Nothing is
   * changed by asking. Only of a source that grants that by users.
   */
  mayChange?(beginning: string): Promise<boolean>;

  /**
   * What else that user may write than all paths that begin with one of these: beginnings of paths, or of what
   * lies beside the source; as far as the source says so. Only of one that has {@link mayChange}.
   */
  mayAlsoChange?(beginnings: readonly string[]): Promise<readonly string[]>;

  /** How each of those is that the source is kept by. Only of a source that has such. */
  members?(): Promise<readonly MemberState[]>;
}

/** How one is of those that a source is kept by. */
export interface MemberState {
  /** What its clock shows, to the second, if it says so. */
  readonly time?: Date;
  /** Why it can't be gone by; none if it can. */
  readonly failure?: Failure;
}

/** What a source says was written. */
export interface Written {
  /** Of objects, in no order. */
  readonly paths: readonly string[];
  /** Until when, in the source's own words. */
  readonly until: string;
}

/** What a source tells that is watched. */
export type Change =
  /** These were written or removed; each once, in no order. */
  | { readonly kind: "objects"; readonly paths: readonly string[] }
  /** Whatever was read before may be old: told first of all, and when changes could have been missed. */
  | { readonly kind: "anything" }
  /** Nothing is told until the next of another kind; the source is tried again meanwhile. */
  | { readonly kind: "lost"; readonly failure: Failure };

/** A source as it was committed once, to be read only. */
export interface Revision extends Source {
  /** The commit, in full. */
  readonly commit: string;
  /** Whether the object at `path` had exactly these bytes; false too if nothing was there. */
  had(path: string, bytes: Uint8Array): boolean;
}
