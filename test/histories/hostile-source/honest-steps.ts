import { entriesOf, headerPath, headersOf } from "../../../src/formats/paths.ts";
import { ada, bob, mallory, type HonestHistory } from "./honest-history.ts";

/** A seeded choice of one. */
export function oneOf<T>(chance: () => number, list: readonly T[]): T {
  if (list.length === 0) throw new Error("nothing to choose from");
  // One of them may be undefined itself.
  return list[Math.floor(chance() * list.length)] as T;
}

const signerOf = (bundle: string): typeof ada =>
  bundle === "billing" ? bob : bundle === "dns" ? ada : mallory;

/** What honest people do; each says what it did. */
const steps: readonly ((history: HonestHistory, chance: () => number) => string)[] = [
  (history, chance) => replaceValue(history, chance),
  (history, chance) => replaceValue(history, chance),
  (history, chance) => {
    const before = history.statements.get("dns");
    const audience = oneOf(chance, [["web"], ["db", "web"]]);
    const expires = chance() < 0.3 ? history.time(60) : null;
    const units = oneOf(chance, [["dns.service"], ["dns.service", "other.service"]]);
    const inPlace = chance() < 0.8;
    history.seal(
      "dns",
      ada,
      { audience, expires, units, inPlace },
      before === undefined ? ["TOKEN"] : [],
    );
    return `dns for ${audience.join("+")} until ${String(expires)}`;
  },
  (history, chance) => addNode(history, chance),
  (history, chance) => addNode(history, chance),
  (history, chance) => evict(history, chance),
  (history, chance) => evict(history, chance),
  (history) => {
    const isThere = history.roster.signers.some(({ name }) => name === "bob");
    const others = history.roster.signers.filter(({ name }) => name !== "bob");
    const again = { name: "bob", signer: bob.key, names: ["billing"], expires: history.time(40) };
    history.changeRoster({
      signers: isThere ? others : [...others, again].sort((a, b) => (a.name < b.name ? -1 : 1)),
    });
    // What only he signed is signed anew: by ada, who may.
    if (isThere) history.seal("billing", ada, choiceOf(history, "billing"), []);
    return isThere ? "bob is removed" : "bob may sign for 40 days";
  },
  (history, chance) => {
    const bundle = oneOf(chance, ["dns", "billing"]);
    const { series } = history.nameOf(bundle);
    const now = history.statements.get(bundle)?.generation ?? 0;
    const next = chance() < 0.5 ? { series: series + 1, minimum: 0 } : { series, minimum: now + 1 };
    const names = history.roster.names.filter(({ name }) => name !== bundle);
    const all = [...names, { name: bundle, ...next }].sort((a, b) => (a.name < b.name ? -1 : 1));
    history.changeRoster({ names: all });
    if (chance() < 0.8) replaceValue(history, chance, bundle);
    return `${bundle} from ${String(next.series)}.${String(next.minimum)}`;
  },
  (history) => {
    history.changeRoster({});
    for (const [pool, { members }] of history.pools) history.changePool(pool, new Map(members));
    return "all is signed anew";
  },
];

function choiceOf(history: HonestHistory, bundle: string): Parameters<HonestHistory["seal"]>[2] {
  const before = history.statements.get(bundle);
  if (before === undefined) throw new Error(`no bundle ${bundle}`);
  const { audience, units, inPlace, expires } = before;
  return { audience, units, inPlace, expires };
}

function replaceValue(history: HonestHistory, chance: () => number, which?: string): string {
  const bundle = which ?? oneOf(chance, ["dns", "dns", "billing", "mal/own"]);
  const credential = oneOf(chance, ["TOKEN", "KEY"]);
  const maySign = history.roster.signers.some(({ signer }) => signer === bob.key);
  const by = bundle === "billing" && !maySign ? ada : signerOf(bundle);
  history.seal(bundle, by, choiceOf(history, bundle), [credential]);
  return `${credential} of ${bundle} is sealed`;
}

function addNode(history: HonestHistory, chance: () => number): string {
  const pool = oneOf(chance, ["web", "db"]);
  const members = new Map(history.pools.get(pool)?.members);
  const node = `n${String(2 + Math.floor(chance() * 1000))}`;
  const entries = chance() < 0.7;
  history.changePool(pool, members.set(node, history.ledger.identity()), { entries });
  return `${node} joins ${pool}${entries ? "" : ", its entry is owed"}`;
}

/** A node is shut out, up to one of the places where whoever does it may stop. */
function evict(history: HonestHistory, chance: () => number): string {
  const pool = oneOf(chance, ["web", "db"]);
  const members = new Map(history.pools.get(pool)?.members);
  const others = [...members.keys()].filter((node) => node !== "n1");
  if (others.length === 0) return addNode(history, chance);
  const node = oneOf(chance, others);
  const identity = members.get(node);
  if (identity !== undefined) history.evicted.push(identity);
  members.delete(node);
  if (history.poolNow(pool).leaving !== null) settle(history, pool);
  history.changePool(pool, members, { epoch: true });
  if (chance() < 0.3) return `${node} is shut out of ${pool}, headers are owed`;
  writeHeaders(history, pool);
  if (chance() < 0.4) return `${node} is shut out of ${pool}, the old epoch is left`;
  settle(history, pool);
  return `${node} is shut out of ${pool}`;
}

function writeHeaders(history: HonestHistory, pool: string): void {
  const { epoch, recipient } = history.poolNow(pool).current;
  for (const { name, audience, credentials } of history.statements.values()) {
    if (!audience.includes(pool)) continue;
    for (const { payload } of credentials) {
      const path = headerPath(pool, epoch, name, payload);
      const fileKey = history.ledger.payloads.get(payload)?.fileKey;
      if (history.view.has(path) || fileKey === undefined) continue;
      history.view.set(path, history.ledger.header(fileKey, recipient));
    }
  }
}

function settle(history: HonestHistory, pool: string): void {
  writeHeaders(history, pool);
  history.changePool(pool, new Map(history.pools.get(pool)?.members), { settled: true });
  const { epoch } = history.poolNow(pool).current;
  for (const path of [...history.view.keys()]) {
    const [kind = "", of = "", number = ""] = path.split("/");
    const isOf = [entriesOf(pool), headersOf(pool)].includes(`${kind}/${of}`);
    if (isOf && Number(number) < epoch) history.view.delete(path);
  }
}

/** After it, some days are gone and somebody honest has done something: says what. */
export function liveOn(history: HonestHistory, chance: () => number): string {
  history.pass(1 + Math.floor(chance() * 20));
  return oneOf(chance, steps)(history, chance);
}
