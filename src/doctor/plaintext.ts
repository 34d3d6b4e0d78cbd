import { encodeIdentity } from "../crypto/identity.ts";
import { listBundles } from "../cluster/bundles.ts";
import { readStatement } from "../cluster/cluster.ts";
import { openCredentials } from "../cluster/opening.ts";
import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { spellings, type Sought } from "../host/needles.ts";
import { processFacts } from "../host/processes.ts";
import { searchFiles, searchJournal, searchProcesses, type Place } from "../host/search.ts";
import { showUnit } from "../host/systemd/systemd.ts";
import { parseRequest } from "../launch/run-options.ts";
import type { SoundNode } from "./node.ts";

/** Where plaintext would lie that somebody left behind. What systemd has delivered is in `/run/credentials`. */
const roots = [
  ...["/etc", "/home", "/root", "/opt", "/srv", "/mnt", "/media", "/usr/local"],
  ...["/tmp", "/var", "/run", "/dev/shm", "/nix/store"],
];
const delivered = "/run/credentials";

/** Shorter values stand everywhere by chance. */
const leastSize = 8;

/** What is looked for, and what isn't. */
export interface NodeSecrets extends Disposable {
  readonly sought: readonly Sought[];
  /** Credentials that are too short to look for. */
  readonly tooShort: readonly string[];
  /** Bundles that can't be opened, and why. */
  readonly unopened: readonly Failure[];
}

/** The values of every credential that this node may have, and its identity. Disposing wipes them. */
export async function secretsOf(node: SoundNode): Promise<NodeSecrets> {
  const { cluster, roster } = node;
  const sought: Sought[] = [];
  const tooShort: string[] = [];
  const unopened: Failure[] = [];
  const identities = await node.identities();
  const add = (name: string, value: Uint8Array): void => {
    if (value.length < leastSize) tooShort.push(name);
    else sought.push({ name, needles: spellings(value) });
    wipe(value);
  };
  try {
    for (const bundle of await listBundles(cluster.source)) {
      try {
        const statement = (await readStatement(cluster, roster, bundle))?.record;
        if (statement === undefined) continue;
        const opened = await openCredentials(cluster, roster, statement, identities);
        for (const { name, value } of opened) add(`${bundle} ${name}`, value);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        // Another node's is none of this one's.
        if (error.code !== "bundle/not-for-node") unopened.push(error);
      }
    }
    for (const identity of identities) add("this node's identity", encodeIdentity(identity));
  } finally {
    wipe(...identities.map(({ seed }) => seed));
  }
  return {
    sought,
    tooShort,
    unopened,
    [Symbol.dispose]: () => {
      wipe(...sought.flatMap(({ needles }) => needles));
    },
  };
}

/** A place where a secret stands, and whether a unit asks for it to be there. */
export interface FoundPlace extends Place {
  readonly isAskedFor: boolean;
}

/**
 * The places of this machine where secrets stand.
 *
 * @param except - files and directories that are passed over: where the identity lies
 */
export async function* searchMachine(
  sought: readonly Sought[],
  except: readonly string[],
): AsyncGenerator<FoundPlace> {
  for await (const place of searchFiles(sought, roots, [delivered, ...except])) {
    yield { ...place, isAskedFor: false };
  }
  for await (const place of searchJournal(sought)) yield { ...place, isAskedFor: false };
  for await (const place of searchProcesses(sought)) {
    yield { ...place, isAskedFor: await areVariables(place) };
  }
}

/** Whether a process's environment has what its unit's commands ask for by `--env`, and no more. */
async function areVariables({ place, names }: Place): Promise<boolean> {
  const pid = /^\/proc\/([0-9]+)\/environ$/u.exec(place)?.[1];
  const group = pid === undefined ? undefined : processFacts(Number(pid))?.controlGroup;
  const unit = group?.split("/").find((part) => part.endsWith(".service"));
  if (unit === undefined) return false;
  const { commands } = await showUnit(unit);
  const asked = commands.flatMap(({ words }) => variablesOf(words));
  return names.every((name) => asked.includes(name.split(" ").at(-1) ?? ""));
}

function variablesOf([, verb, ...words]: readonly string[]): string[] {
  const end = words.indexOf("--");
  if (verb !== "run" || end < 0) return [];
  try {
    return [...parseRequest(words.slice(0, end), "").variables.values()];
  } catch {
    return [];
  }
}
