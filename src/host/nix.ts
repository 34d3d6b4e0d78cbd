import { constants } from "node:fs";
import { access, lstat, readFile, stat } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Failure, type FailureCode } from "../failure.ts";
import type { StoreObject } from "../service/store-path.ts";
import { findProgram, run, type RunResult } from "./process.ts";

const daemonSocket = "/nix/var/nix/daemon-socket/socket";

// Each measured against Nix 2.8 (docs/decisions): a 404 is otherwise remembered for an hour, so
// that a node which asked before the publisher was done fails for an hour; and a server that
// accepts and says nothing hangs for ever.
const fetchOptions = {
  "narinfo-cache-negative-ttl": "0",
  "connect-timeout": "5",
  "stalled-download-timeout": "10",
  "download-attempts": "3",
} as const;

// Processes that ask a cache for the first time at once disturb each other in the file where Nix
// remembers answers: "FOREIGN KEY constraint failed" for all but one (measured, 25 at once). The next
// time the cache is known.
const lostRace = /executing SQLite statement|database .* is busy/u;
const maxTries = 8;

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
 *   0 if there is none
 * @throws Failure `closure/absent`, `closure/unavailable`, `closure/untrusted`,
 *   `closure/corrupt`, `closure/failed`, `program/not-executable`
 */
export async function realise(
  program: StoreObject,
  pin: string,
  timeoutMs: number,
  begun: number,
): Promise<void> {
  if (begun === 0 || !(await hasPinned(begun, pin))) await fetchClosure(program, pin, timeoutMs);
  await requireProgram(program);
}

/** Whether a nix-store that fetches nothing, and so ends soon, has made the link. */
async function hasPinned(pid: number, pin: string): Promise<boolean> {
  while (await isRunning(pid)) await pause(2);
  return lstat(pin).then(
    () => true,
    () => false,
  );
}

/** Whether a process is there and has not ended; its parent may not have looked yet (proc(5), stat). */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, "latin1").catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /u.test(stat);
}

async function fetchClosure(program: StoreObject, pin: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const environment = (await hasDaemon()) ? { NIX_REMOTE: "daemon" } : {};
  const attempt = async (substituters?: string): Promise<Failure | undefined> => {
    const options = Object.entries({
      ...fetchOptions,
      ...(substituters === undefined ? {} : { substituters }),
    }).flatMap(([name, value]) => ["--option", name, value]);
    const nixStore = await findProgram("nix-store");
    for (let tries = 1; ; tries++) {
      const result = await run(
        nixStore,
        ["--realise", program.storePath, "--add-root", pin, ...options],
        { environment, timeoutMs: Math.max(1, deadline - Date.now()), diesWithUs: true },
      );
      if (result.exitCode === 0) return undefined;
      if (!lostRace.test(result.stderr) || tries === maxTries) {
        return explain(program.storePath, result, timeoutMs);
      }
      await pause(tries * 100);
    }
  };

  let failure = await attempt();
  // A first cache that answers 500 ends the call though a second one is fine: one at a time, then.
  if (failure?.code === "closure/unavailable" && Date.now() < deadline) {
    for (const substituter of await listSubstituters(environment)) {
      const next = await attempt(substituter);
      if (next === undefined) {
        failure = undefined;
        break;
      }
    }
  }
  if (failure !== undefined) throw failure;
}

const signs: readonly (readonly [FailureCode, RegExp, string])[] = [
  [
    "closure/untrusted",
    /is not signed by any of the keys|lacks a (?:valid )?signature/u,
    "no cache has it signed by a key that this node trusts",
  ],
  [
    "closure/corrupt",
    /hash mismatch|is corrupt|partial file|bad (?:archive|NAR)|input is not (?:in|a)|compressed data|decompress|claims to be content-addressed/iu,
    "a cache sent altered or broken bytes",
  ],
  [
    "closure/unavailable",
    /unable to download|HTTP error 5|Couldn't connect|timed out|Timeout was reached|Could not resolve/u,
    "a cache doesn't answer, or with an error",
  ],
  [
    "closure/absent",
    /don't know how to build these paths|does not exist in binary cache|no substituter that can build|is required, but/u,
    "no cache has it, or its whole closure",
  ],
];

/** nix-store ends with 1 whatever went wrong; its words, in the C locale, tell (measured with 2.8). */
function explain(storePath: string, { stderr, timedOut }: RunResult, timeoutMs: number): Failure {
  if (timedOut) {
    const seconds = String(Math.round(timeoutMs / 1000));
    return new Failure("closure/unavailable", `${storePath} was not fetched within ${seconds} s`);
  }
  const found = signs.find(([, sign]) => sign.test(stderr));
  if (found !== undefined)
    return new Failure(found[0], `${storePath} can't be realised: ${found[2]}`);
  const reason = stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  return new Failure(
    "closure/failed",
    `${storePath} can't be realised: ${reason}`,
    `nix-store --realise ${storePath}`,
  );
}

async function listSubstituters(environment: Readonly<Record<string, string>>): Promise<string[]> {
  const nix = await findProgram("nix");
  const features = ["--extra-experimental-features", "nix-command"];
  // The command has had two names; the older one is Debian's.
  for (const words of [["show-config"], ["config", "show"]]) {
    const { exitCode, stdout } = await run(nix, [...features, ...words, "--json"], { environment });
    if (exitCode !== 0) continue;
    const config = JSON.parse(new TextDecoder().decode(stdout)) as {
      substituters?: { value?: string[] };
    };
    return config.substituters?.value ?? [];
  }
  return [];
}

/** Valid isn't present: Nix believes its database, and looks at no file. */
async function requireProgram({ storePath, path }: StoreObject): Promise<void> {
  const isPresent = await lstat(storePath).then(
    () => true,
    () => false,
  );
  if (!isPresent) {
    throw new Failure(
      "closure/corrupt",
      `${storePath} is valid for Nix, but is not on the disk`,
      `nix-store --repair-path ${storePath}`,
    );
  }
  const facts = await stat(path).catch(() => undefined);
  const mayRun = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (facts?.isFile() === true && mayRun) return;
  throw new Failure("program/not-executable", `${path} is no executable file in its store path`);
}
