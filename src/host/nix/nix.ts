import { accessSync, constants, lstatSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../failure.ts";
import type { StoreObject } from "../../service/store-path.ts";
import {
  explain,
  fetchOptions,
  isLostRace,
  mayComeFromAnother,
  maxTries,
  staysLocked,
  tookTooLong,
} from "./errors.ts";
import { elapsedMs } from "../elapsed.ts";
import { findProgram, run } from "../process.ts";

const daemonSocket = "/nix/var/nix/daemon-socket/socket";

/** Whether a Nix daemon accepts connections; root then leaves the store's database to it. */
async function hasDaemon(): Promise<boolean> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect(daemonSocket, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => {
      resolve(false);
    });
  });
}

/**
 * After it, the closure of `program` is on disk, and stays there while the link at `pin` can be
 * read.
 *
 * One nix-store process realises and pins, whose temporary roots last until the permanent one
 * exists: a collection in between takes nothing.
 *
 * @param pin - where the link is made. Below `/proc/PID/root` it can be read for as long as that
 *   process lives: then its end, whatever ended it, unpins
 * @param timeoutMs - for the whole closure
 * @param begun - a nix-store that bin/sealaunch has started to pin a closure which is there already;
 *   0 if there is none. Where this fails it may still be running
 * @throws Failure `closure/absent`, `closure/unavailable`, `closure/locked`, `closure/untrusted`,
 *   `closure/corrupt`, `closure/failed`, `program/not-executable`
 */
export async function realise(
  program: StoreObject,
  pin: string,
  timeoutMs: number,
  begun: number,
): Promise<void> {
  const deadline = elapsedMs() + timeoutMs;
  if (begun !== 0) {
    while (await isRunning(begun)) {
      // It fetches nothing, so that only a lock can keep it.
      if (elapsedMs() >= deadline) throw staysLocked(program.storePath, timeoutMs);
      await pause(2);
    }
  }
  const isPinned = begun !== 0 && isThere(pin);
  if (!isPinned) await fetchClosure(program, pin, Math.max(1, deadline - elapsedMs()));
  requireProgram(program);
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Whether a child of our parent is there and has not ended; its parent may not have looked yet, or has,
 * and the number is another's (proc(5), stat).
 */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, "latin1").catch(() => "");
  const [, state = "X", parent] = /^.*\) (\S) (\d+) /su.exec(stat) ?? [];
  return !"ZX".includes(state) && Number(parent) === process.ppid;
}

/**
 * After it, a closure is on disk and pinned at `pin`, as nix-store does it; a daemon works for it where
 * there is one.
 *
 * @throws Failure `closure/absent`, `closure/unavailable`, `closure/untrusted`,
 *   `closure/corrupt`, `closure/failed`
 */
export async function fetchClosure(
  { storePath }: Pick<StoreObject, "storePath">,
  pin: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = elapsedMs() + timeoutMs;
  const environment = (await hasDaemon()) ? { NIX_REMOTE: "daemon" } : {};
  const others = async (): Promise<readonly string[]> =>
    inTurn(await listSubstituters(environment));
  const attempt = async (substituters?: string): Promise<Failure | undefined> => {
    const options = Object.entries({
      ...fetchOptions,
      ...(substituters === undefined ? {} : { substituters }),
    }).flatMap(([name, value]) => ["--option", name, value]);
    const nixStore = await findProgram("nix-store");
    for (let tries = 1; ; tries++) {
      const result = await run(nixStore, ["--realise", storePath, "--add-root", pin, ...options], {
        environment,
        timeoutMs: Math.max(1, deadline - elapsedMs()),
        diesWithUs: true,
      });
      if (result.exitCode === 0) return undefined;
      if (result.timedOut) return tookTooLong(storePath, timeoutMs, result.stderr);
      const failure = explain(storePath, result.stderr);
      if (!isLostRace(result.stderr) || tries === maxTries) return failure;
      // What was waited for in vain would be again, for half a minute each time.
      if (substituters === undefined && mayComeFromAnother(failure) && (await others()).length > 0)
        return failure;
      await pause(tries * 100);
    }
  };

  let failure = await attempt();
  if (failure !== undefined && mayComeFromAnother(failure) && elapsedMs() < deadline) {
    for (const substituter of await others()) {
      const next = await attempt(substituter);
      if (next === undefined) {
        failure = undefined;
        break;
      }
    }
  }
  if (failure !== undefined) throw failure;
}

/**
 * Caches in the order in which each is asked alone, after all were together: the first last, since that is
 * the one that answered. None where there is but one.
 */
export function inTurn([first, ...others]: readonly string[]): readonly string[] {
  return first === undefined || others.length === 0 ? [] : [...others, first];
}

/** What nix.conf says of binary caches. */
export interface CacheSettings {
  /** In their order. */
  readonly substituters: readonly string[];
  /** `NAME:KEY`. */
  readonly trustedKeys: readonly string[];
}

/** The caches that nix.conf names, in its order. */
export async function listSubstituters(
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  return (await readCacheSettings(environment)).substituters;
}

/** What nix.conf says of binary caches; nothing if Nix doesn't tell. @throws Failure `program/missing` */
export async function readCacheSettings(
  environment: Readonly<Record<string, string>>,
): Promise<CacheSettings> {
  const nix = await findProgram("nix");
  const features = ["--extra-experimental-features", "nix-command"];
  // The command has had two names; the older one is Debian's.
  for (const words of [["show-config"], ["config", "show"]]) {
    const { exitCode, stdout } = await run(nix, [...features, ...words, "--json"], { environment });
    if (exitCode !== 0) continue;
    const config = JSON.parse(new TextDecoder().decode(stdout)) as Record<
      "substituters" | "trusted-public-keys",
      { value?: string[] } | undefined
    >;
    return {
      substituters: config.substituters?.value ?? [],
      trustedKeys: config["trusted-public-keys"]?.value ?? [],
    };
  }
  return { substituters: [], trustedKeys: [] };
}

/**
 * After it, a program of the store is a file on disk that may be executed.
 *
 * @throws Failure `closure/corrupt`, `program/not-executable`
 */
export function requireProgram(program: StoreObject): void {
  requireFile(program);
  const { path } = program;
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Failure("program/not-executable", `${path} is no executable file in its store path`);
  }
}

/** Returns if a store path that is valid is on disk. @throws Failure `closure/corrupt` */
export function requireStored(storePath: string): void {
  if (isThere(storePath)) return;
  throw new Failure(
    "closure/corrupt",
    `${storePath} is valid for Nix, but is not on the disk`,
    `nix-store --repair-path ${storePath}`,
  );
}

/**
 * After it, a file of the store is one on disk. Valid isn't present: Nix believes its database, and
 * looks at no file.
 *
 * @throws Failure `closure/corrupt`, `program/not-executable`
 */
export function requireFile({ storePath, path }: StoreObject): void {
  if (isFile(path)) return;
  requireStored(storePath);
  throw new Failure("program/not-executable", `${path} is no executable file in its store path`);
}
