import { createHash } from "node:crypto";
import { lstatSync, readlinkSync } from "node:fs";
import { readlink, symlink, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../failure.ts";
import { nixBase32 } from "../service/nar.ts";
import { coalesce } from "./coalesce.ts";
import { errorCode, syncDirectory } from "./files.ts";
import { fetchClosure, listSubstituters } from "./nix.ts";
import { ConnectionLost, UnknownProtocol } from "./nix-daemon-wire.ts";
import { NixDaemon, type Question } from "./nix-daemon.ts";
import { explain, isLostRace, maxTries, tookTooLong } from "./nix-errors.ts";
import { findProgram, run } from "./process.ts";

/** A gc root: a link to a store path, of which Nix is told. */
export interface Root {
  /** The link's absolute path, in a directory that is there. */
  readonly link: string;
  readonly storePath: string;
}

/** Until when, and for how long that was when it began. */
interface Deadline {
  readonly at: number;
  readonly timeoutMs: number;
}

/**
 * After it, the closures of all store paths are on disk, and stay there while the links do; also after
 * a power cut. A collection at the same time takes nothing.
 *
 * @throws Failure `closure/absent`, `closure/unavailable`, `closure/untrusted`,
 *   `closure/corrupt`, `closure/failed`
 */
export async function pin(roots: readonly Root[], timeoutMs: number): Promise<void> {
  if (await arePinned(roots)) return;
  const deadline = { at: Date.now() + timeoutMs, timeoutMs };
  if (!(await pinThroughDaemon(roots, deadline))) {
    for (const { link, storePath } of roots) {
      await fetchClosure({ storePath }, link, Math.max(1, deadline.at - Date.now()));
    }
    await syncStore();
  }
  await Promise.all([...new Set(roots.map(({ link }) => dirname(link)))].map(syncDirectory));
  await syncDirectory(autoRoots);
}

const autoRoots = "/nix/var/nix/gcroots/auto";

/** Whether Nix has to be told nothing, which is most starts: it has all, and knows all of the roots. */
async function arePinned(roots: readonly Root[]): Promise<boolean> {
  const areKnown = roots.every(({ link, storePath }) => {
    const hash = nixBase32(createHash("sha1").update(link).digest());
    return linkTarget(link) === storePath && linkTarget(`${autoRoots}/${hash}`) === link;
  });
  if (!areKnown) return false;
  const valid = await askValid(roots.map(({ storePath }) => storePath));
  return roots.every(({ storePath }) => valid.has(storePath));
}

function linkTarget(path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
  return readlinkSync(path);
}

// This connection stays: asked nothing else, its process at the daemon keeps no temporary roots, and it
// saves the 3 ms that the daemon takes for each new one.
let kept: NixDaemon | undefined;
const keptAnswersWithinMs = 1000;

/** Those of the store paths that Nix says it has; none if it says nothing. */
const askValid = coalesce(async (asked: readonly (readonly string[])[]) => {
  const paths = [...new Set(asked.flat())];
  const timer = setTimeout(() => kept?.[Symbol.dispose](), keptAnswersWithinMs);
  // The daemon may have ended the connection long ago: then a second one is tried.
  for (let tries = 1; tries <= 2; tries++) {
    try {
      kept ??= await NixDaemon.open(Date.now() + keptAnswersWithinMs);
      const questions = paths.map((path) => ({ operation: "isValidPath", path }) as const);
      const replies = (await kept?.ask(questions)) ?? [];
      clearTimeout(timer);
      return new Set(replies.filter(({ isYes }) => isYes).map(({ path }) => path));
    } catch {
      kept?.[Symbol.dispose]();
      kept = undefined;
    }
  }
  clearTimeout(timer);
  return new Set<string>();
});

/** Whether there is a daemon, which then has fetched and pinned. */
async function pinThroughDaemon(roots: readonly Root[], deadline: Deadline): Promise<boolean> {
  try {
    const result = await attempt(roots, deadline);
    if (!(result instanceof Failure)) return result;
    // As in place: a first cache that answers 500 ends it though a second one is fine.
    if (result.code === "closure/unavailable" && Date.now() < deadline.at) {
      for (const substituter of await listSubstituters({ NIX_REMOTE: "daemon" })) {
        if ((await attempt(roots, deadline, substituter)) === true) return true;
      }
    }
    throw result;
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    throw new Failure(
      "closure/unavailable",
      `the Nix daemon ${error.message}`,
      "systemctl status nix-daemon.socket nix-daemon.service",
    );
  }
}

/** What keeps the daemon from it; else whether there is one. */
async function attempt(
  roots: readonly Root[],
  deadline: Deadline,
  substituters?: string,
): Promise<boolean | Failure> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce(roots, deadline, substituters);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // Only another process of the daemon's looks into the file anew.
      if (!isLostRace(error.message) || tries === maxTries) return error;
      await pause(tries * 100);
    }
  }
}

/** As {@link attempt}, in one connection. */
async function tryOnce(
  roots: readonly Root[],
  deadline: Deadline,
  substituters?: string,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  try {
    using daemon = await NixDaemon.open(deadline.at, substituters);
    if (daemon === undefined) return false;
    const end = (): void => {
      daemon[Symbol.dispose]();
    };
    timer = setTimeout(end, Math.max(1, deadline.at - Date.now()));
    await realiseAndPin(daemon, roots);
    return true;
  } catch (error) {
    if (error instanceof UnknownProtocol) return false;
    const isEnd = error instanceof ConnectionLost;
    if (!isEnd || Date.now() < deadline.at) throw error;
    throw tookTooLong(roots[0]?.storePath ?? "", deadline.timeoutMs);
  } finally {
    clearTimeout(timer);
  }
}

const maxRounds = 3;

async function realiseAndPin(daemon: NixDaemon, roots: readonly Root[]): Promise<void> {
  for (let round = 1; ; round++) {
    let hasFetched = false;
    for (const { storePath } of roots) {
      if (await ensure(daemon, storePath)) hasFetched = true;
    }
    if (hasFetched) await syncStore();
    await Promise.all(roots.map(makeLink));
    // A collection that looked for permanent roots before these, and will look for temporary ones after
    // this connection's are gone, would find neither. But it listens for further temporary ones.
    const questions = roots.flatMap(({ link, storePath }): Question[] => [
      { operation: "addIndirectRoot", path: link },
      { operation: "addTempRoot", path: storePath },
      { operation: "isValidPath", path: storePath },
    ]);
    const replies = await daemon.ask(questions);
    const failed = replies.find(({ succeeded }) => !succeeded);
    if (failed !== undefined) throw explain(failed.path, failed.words);
    if (replies.every(({ isYes }) => isYes)) return;
    // Some versions of Nix let a collection overlook a temporary root (NixOS/nix#15469).
    if (round === maxRounds) {
      throw new Failure(
        "closure/unavailable",
        `${roots[0]?.storePath ?? ""} was collected as soon as it was there`,
        "end what collects garbage all the time",
      );
    }
  }
}

/** Whether the closure of `storePath`, which now is there, had to be fetched. */
async function ensure(daemon: NixDaemon, storePath: string): Promise<boolean> {
  const replies = await daemon.ask([
    { operation: "addTempRoot", path: storePath },
    { operation: "isValidPath", path: storePath },
    { operation: "ensurePath", path: storePath },
  ]);
  const failed = replies.find(({ succeeded }) => !succeeded);
  if (failed !== undefined) throw explain(storePath, failed.words);
  return replies[1]?.isYes === false;
}

/** Nix registers a path as valid before its files are on the disk, so that a power cut would leave it empty. */
async function syncStore(): Promise<void> {
  await run(await findProgram("sync"), ["--file-system", "/nix/store"]);
}

async function makeLink({ link, storePath }: Root): Promise<void> {
  try {
    await symlink(storePath, link);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw refused(link, error);
    if ((await readlink(link).catch(() => "")) === storePath) return;
    await unlink(link);
    await makeLink({ link, storePath });
  }
}

function refused(path: string, error: unknown): Failure {
  return new Failure("write/refused", `${path} can't be written: ${errorCode(error)}`);
}
