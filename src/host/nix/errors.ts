import { Failure, type FailureCode } from "../../failure.ts";

// Each measured against Nix 2.8 (docs/decisions/0015): a 404 is otherwise remembered for an hour, so
// that a node which asked before the publisher was done fails for an hour; and a server that
// accepts and says nothing hangs for ever.
export const fetchOptions = {
  "narinfo-cache-negative-ttl": "0",
  "connect-timeout": "5",
  "stalled-download-timeout": "10",
  "download-attempts": "3",
} as const;

const signs: readonly (readonly [FailureCode, RegExp, string, string?])[] = [
  [
    "closure/untrusted",
    /is not signed by any of the keys|lacks a (?:valid )?signature/u,
    "no cache has it signed by a key that this node trusts",
  ],
  [
    "closure/corrupt",
    /NAR info file .* is corrupt/u,
    "a cache answers with something that is no narinfo",
    "look at what it answers: curl CACHE/HASH.narinfo",
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
    /is for Nix stores with prefix/u,
    "no cache has it, and one is for another store than /nix/store",
    "take that cache out of nix.conf ('substituters'); its /nix-cache-info says StoreDir",
  ],
  [
    "closure/absent",
    /does not appear to be a binary cache/u,
    "no cache has it, and one is no binary cache: it has no /nix-cache-info",
    "check the caches in nix.conf ('substituters')",
  ],
  [
    "closure/absent",
    /don't know how to build these paths|does not exist in binary cache|no substituter that can build|is required, but|does not exist and cannot be created/u,
    "no cache has it, or its whole closure",
  ],
];

// Processes that ask a cache for the first time at once disturb each other in the file where Nix
// remembers answers: "FOREIGN KEY constraint failed" for all but one (measured, 25 at once). The next
// time the cache is known.
const lostRace = /executing SQLite statement|database .* is busy/u;

/** Whether Nix failed on its own file only, so that it may be asked again. */
export function isLostRace(words: string): boolean {
  return lostRace.test(words);
}

/**
 * Whether another cache may still have it. Nix itself ends with the first that answers 500, or with a page
 * in place of a narinfo, though the next one is fine.
 */
export function mayComeFromAnother({ code }: Failure): boolean {
  return code === "closure/unavailable" || code === "closure/corrupt";
}

/** How often Nix is asked again after a lost race. */
export const maxTries = 8;

/** Why Nix didn't realise, told from its words in the C locale: it has no codes (measured with 2.8). */
export function explain(storePath: string, words: string): Failure {
  const found = signs.find(([, sign]) => sign.test(words));
  if (found !== undefined)
    return new Failure(found[0], `${storePath} can't be realised: ${found[2]}`, found[3]);
  const reason = words.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  return new Failure(
    "closure/failed",
    `${storePath} can't be realised: ${reason}`,
    `nix-store --realise ${storePath}`,
  );
}

/** What is said of a closure that took longer than it was given, after `stderr`. */
export function tookTooLong(storePath: string, timeoutMs: number, stderr = ""): Failure {
  const seconds = String(Math.round(timeoutMs / 1000));
  if (/^waiting for .*(?:lock|garbage collector)/imu.test(stderr))
    return staysLocked(storePath, timeoutMs);
  return new Failure("closure/unavailable", `${storePath} was not fetched within ${seconds} s`);
}

/** What is said of a closure that is there, perhaps, and could only not be pinned. */
export function staysLocked(storePath: string, timeoutMs: number): Failure {
  const seconds = String(Math.round(timeoutMs / 1000));
  return new Failure(
    "closure/locked",
    `${storePath} was not pinned within ${seconds} s: something else holds a lock of the Nix store`,
  );
}
