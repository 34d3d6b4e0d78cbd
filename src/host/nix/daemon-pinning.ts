import { readlink, symlink, unlink } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../failure.ts";
import { elapsedMs } from "../elapsed.ts";
import { errorCode } from "../error-code.ts";
import { inTurn, listSubstituters } from "./nix.ts";
import { ConnectionLost, UnknownProtocol } from "./daemon-wire.ts";
import { NixDaemon, type Question } from "./daemon.ts";
import { explain, isLostRace, maxTries, mayComeFromAnother, tookTooLong } from "./errors.ts";
import { findProgram, run } from "../process.ts";

/** A gc root: a link to a store path, of which Nix is told. */
export interface Root {
  /** The link's absolute path, in a directory that is there. */
  readonly link: string;
  readonly storePath: string;
}

/** Until when, in milliseconds as `elapsedMs()` has them, and for how long that was when it began. */
export interface Deadline {
  readonly at: number;
  readonly timeoutMs: number;
}

/**
 * Whether there is a daemon, which then has fetched the closures and pinned them.
 *
 * @throws Failure `closure/absent`, `closure/unavailable`, `closure/untrusted`,
 *   `closure/corrupt`, `closure/failed`, `write/refused`
 */
export async function pinThroughDaemon(
  roots: readonly Root[],
  deadline: Deadline,
): Promise<boolean> {
  let listed: Promise<readonly string[]> | undefined;
  const caches = (): Promise<readonly string[]> =>
    (listed ??= listSubstituters({ NIX_REMOTE: "daemon" }).catch(() => []));
  try {
    const result = await attempt(roots, deadline, {
      mayGiveUp: async () => (await caches()).length > 1,
    });
    if (!(result instanceof Failure)) return result;
    if (!mayComeFromAnother(result) || elapsedMs() >= deadline.at) throw result;
    const substituters = inTurn(await caches());
    for (const substituter of substituters) {
      const isLast = substituter === substituters.at(-1);
      const mayGiveUp = (): Promise<boolean> => Promise.resolve(!isLast);
      if ((await attempt(roots, deadline, { substituter, mayGiveUp })) === true) return true;
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

/** How a closure is tried to be had. */
interface How {
  /** The one cache to fetch from, instead of those of nix.conf. */
  readonly substituter?: string;
  /** Whether there is another way, if nothing comes. */
  readonly mayGiveUp: () => Promise<boolean>;
}

/** What keeps the daemon from it; else whether there is one. */
async function attempt(
  roots: readonly Root[],
  deadline: Deadline,
  how: How,
): Promise<boolean | Failure> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce(roots, deadline, how);
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
  { substituter, mayGiveUp }: How,
): Promise<boolean> {
  // What was asked for last is what didn't come.
  let asked = roots[0]?.storePath ?? "";
  const watching = new AbortController();
  try {
    using daemon = await NixDaemon.open(deadline.at, substituter);
    if (daemon === undefined) return false;
    void watch(daemon, deadline, mayGiveUp, watching.signal);
    await realiseAndPin(daemon, roots, (storePath) => {
      asked = storePath;
    });
    return true;
  } catch (error) {
    if (error instanceof UnknownProtocol) return false;
    if (!(error instanceof ConnectionLost)) throw error;
    if (elapsedMs() >= deadline.at) throw tookTooLong(asked, deadline.timeoutMs);
    throw error instanceof Silent ? explain(asked, "timed out") : error;
  } finally {
    watching.abort();
  }
}

/** The daemon was left, since nothing came from it. */
class Silent extends ConnectionLost {}

// nix.conf's limits for downloads are not among the options that a daemon takes from us, and without
// them a cache that accepts and says nothing is waited for for five minutes.
const silenceMs = 10_000;

/** Ends the connection when its time is over, or nothing comes and there is another way. */
async function watch(
  daemon: NixDaemon,
  deadline: Deadline,
  mayGiveUp: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(50);
    if (elapsedMs() >= deadline.at) daemon.end(new ConnectionLost("took too long"));
    else if (daemon.silentMs >= silenceMs && (await mayGiveUp())) {
      daemon.end(new Silent("says nothing"));
    }
  }
}

const maxRounds = 3;

async function realiseAndPin(
  daemon: NixDaemon,
  roots: readonly Root[],
  asking: (storePath: string) => void,
): Promise<void> {
  for (let round = 1; ; round++) {
    let hasFetched = false;
    for (const { storePath } of roots) {
      asking(storePath);
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
export async function syncStore(): Promise<void> {
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
