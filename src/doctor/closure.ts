import type { Needed } from "../agent/wanted.ts";
import { Failure } from "../failure.ts";
import {
  readCacheSettings,
  requireFile,
  requireProgram,
  requireStored,
  type CacheSettings,
} from "../host/nix/nix.ts";
import { askCache, listInvalid } from "../host/nix/caches.ts";
import { readWrapper } from "../host/package.ts";
import { error, warning, type Finding } from "../service/finding.ts";
import type { StoreObject } from "../service/store-path.ts";
import { wrapperPath } from "../service/wrapper.ts";
import { failureOf } from "./failures.ts";

const cacheAnswersWithinMs = 20_000;

/** A start that has to fetch wants longer than one that hasn't; systemd's own limit is 90 s. */
const fetchingTakesMs = 60_000;

/**
 * Whether what a unit runs is in the store, or can be fetched into it. Nothing is fetched.
 *
 * @param startTimeoutMs - the unit's own
 */
export async function examineClosure(
  unit: string,
  { programs, files, sealed }: Needed,
  startTimeoutMs: number,
): Promise<Finding[]> {
  // The agent itself puts it there.
  const own = wrapperPath(await readWrapper());
  const storePaths = new Set([...programs, ...files].map(({ storePath }) => storePath));
  for (const path of sealed) storePaths.add(path);
  const invalid = await listInvalid([...storePaths].filter((path) => path !== own));
  const isThere = ({ storePath }: StoreObject): boolean =>
    storePath !== own && !invalid.includes(storePath);
  const broken = await Promise.all([
    ...programs.filter(isThere).map((object) =>
      failureOf(() => {
        requireProgram(object);
      }),
    ),
    ...files.filter(isThere).map((object) =>
      failureOf(() => {
        requireFile(object);
      }),
    ),
    ...sealed
      .filter((path) => !invalid.includes(path))
      .map((path) =>
        failureOf(() => {
          requireStored(path);
        }),
      ),
  ]);
  const findings = broken.filter((one) => one !== undefined).map(error);
  if (invalid.length === 0) return findings;
  const settings = await readCacheSettings({});
  for (const storePath of invalid) {
    const failure = await whyNotFetched(storePath, settings);
    if (failure !== undefined) findings.push(error(failure));
    else if (startTimeoutMs < fetchingTakesMs)
      findings.push(tooShort(unit, storePath, startTimeoutMs));
  }
  return findings;
}

function tooShort(unit: string, storePath: string, startTimeoutMs: number): Finding {
  return warning(
    new Failure(
      "unit/setting",
      `TimeoutStartSec= of ${unit} is ${String(startTimeoutMs / 1000)} s, and ${storePath} has to be fetched in that time`,
      `nix-store --realise ${storePath}, or TimeoutStartSec=300`,
    ),
  );
}

/** Why no cache will give a closure; undefined if one will. */
async function whyNotFetched(
  storePath: string,
  { substituters, trustedKeys }: CacheSettings,
): Promise<Failure | undefined> {
  const trusted = trustedKeys.map((key) => key.split(":")[0] ?? "");
  const failures: Failure[] = [];
  for (const cache of substituters) {
    const paths = await askCache(cache, storePath, cacheAnswersWithinMs);
    if (paths instanceof Failure) {
      failures.push(new Failure(paths.code, `${cache}: ${paths.message}`, paths.hint));
      continue;
    }
    const bad = paths.find(
      ({ signedBy, isContentAddressed }) =>
        !isContentAddressed && !signedBy.some((name) => trusted.includes(name)),
    );
    if (bad === undefined) return undefined;
    failures.push(
      new Failure(
        "closure/untrusted",
        `${cache} has ${bad.storePath}, signed by ${bad.signedBy.join(", ") || "nobody"}; this node trusts ${trusted.join(", ") || "no key"}`,
      ),
    );
  }
  const [first] = failures;
  if (first !== undefined) {
    const all = failures.map(({ message }) => message).join("; ");
    return new Failure(
      first.code,
      `${storePath} isn't in the store, and no cache will give it: ${all}`,
    );
  }
  return new Failure(
    "closure/absent",
    `${storePath} isn't in the store, and nix.conf names no binary cache`,
    "name a cache in nix.conf ('substituters'), or copy it here: nix copy --from CACHE PATH",
  );
}
