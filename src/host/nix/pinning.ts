import { createHash } from "node:crypto";
import { lstatSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { nixBase32 } from "../../service/nar.ts";
import { coalesce } from "../coalesce.ts";
import { elapsedMs } from "../elapsed.ts";
import { syncDirectory } from "../files.ts";
import { fetchClosure } from "./nix.ts";
import { NixDaemon } from "./daemon.ts";
import { pinThroughDaemon, syncStore, type Root } from "./daemon-pinning.ts";

/**
 * After it, the closures of all store paths are on disk, and stay there while the links do; also after
 * a power cut. A collection at the same time takes nothing.
 *
 * @throws Failure `closure/absent`, `closure/unavailable`, `closure/untrusted`,
 *   `closure/corrupt`, `closure/failed`
 */
export async function pin(roots: readonly Root[], timeoutMs: number): Promise<void> {
  if (await arePinned(roots)) return;
  const deadline = { at: elapsedMs() + timeoutMs, timeoutMs };
  if (!(await pinThroughDaemon(roots, deadline))) {
    for (const { link, storePath } of roots) {
      await fetchClosure({ storePath }, link, Math.max(1, deadline.at - elapsedMs()));
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
      kept ??= await NixDaemon.open(elapsedMs() + keptAnswersWithinMs);
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
