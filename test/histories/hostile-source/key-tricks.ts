import {
  entryPath,
  payloadPath,
  poolPath,
  rosterPath,
  statementPath,
} from "../../../src/formats/paths.ts";
import { encodeMembers, encodePool, type Members } from "../../../src/formats/records/pool.ts";
import { encodeRoster, type Roster } from "../../../src/formats/records/roster.ts";
import type { Statement } from "../../../src/formats/records/statement.ts";
import type { TestSigner } from "../../fixtures/signer.ts";
import { pathIn, type Enemy, type Trick } from "./enemy.ts";
import { bob, clusterId, mallory, manager, root, stranger } from "./honest-history.ts";
import { oneOf } from "./honest-steps.ts";
import { hashOf } from "./ledger.ts";

const next = (by: TestSigner, statement: Statement, change: Partial<Statement>) =>
  ({ ...statement, generation: statement.generation + 1, ...change, by }) as const;

/** What the enemy does with keys. */
export const keyTricks: readonly Trick[] = [
  (enemy: Enemy): string => {
    // Others' sealed bytes, and perhaps more pools, under a name that he may sign.
    const { history, view, chance } = enemy;
    const own = history.statements.get("mal/own");
    const theirs = history.statements.get(oneOf(chance, ["dns", "billing", "mal/own"]));
    if (own === undefined || theirs === undefined) return "nothing";
    const audience = oneOf(chance, [["web"], ["db"], ["db", "web"]]);
    for (const { payload } of theirs.credentials) {
      const bytes = view.get(payloadPath(theirs.name, payload));
      if (bytes !== undefined) view.set(payloadPath(own.name, payload), bytes);
      for (const [path, header] of [...view])
        if (path.startsWith("headers/") && path.endsWith(`/${theirs.name}/${payload}`))
          view.set(path.replace(`/${theirs.name}/`, `/${own.name}/`), header);
    }
    const { credentials } = theirs;
    const { by, ...statement } = next(mallory, own, { audience, credentials });
    history.stateBundle(statement, [by], view);
    return `mallory signs ${theirs.name}'s values as mal/own for ${audience.join("+")}`;
  },
  (enemy: Enemy): string => {
    // A name that the signer may not sign, or not any more.
    const { history, view, chance } = enemy;
    const name = oneOf(chance, ["dns", "billing"]);
    const theirs = history.statements.get(name);
    if (theirs === undefined) return "nothing";
    const who = oneOf(chance, [bob, mallory, stranger]);
    const sealed = history.sealValue(name, "TOKEN", theirs.audience, who, view);
    const { by, ...statement } = next(who, theirs, { credentials: [sealed] });
    history.stateBundle(statement, [by], view);
    return `${who === bob ? "bob" : "another"} signs ${name}`;
  },
  (enemy: Enemy): string => {
    // The same cluster by its keys, another by its id.
    const { history, view } = enemy;
    const cluster = "ff".repeat(16);
    if (enemy.chance() < 0.5) {
      stateRoster(
        enemy,
        { ...history.roster, cluster, generation: history.roster.generation + 1 },
        root,
      );
      return "root's roster of another cluster is shown";
    }
    const theirs = history.statements.get("billing");
    if (theirs === undefined) return "nothing";
    const { by, ...statement } = next(bob, theirs, { cluster });
    history.stateBundle(statement, [by], view);
    return "bob's billing of another cluster is shown";
  },
  (enemy: Enemy): string => {
    const { history } = enemy;
    const me = { name: "zoe", signer: stranger.key, names: ["billing", "dns"], expires: null };
    const generation = history.roster.generation + 1;
    const by = oneOf(enemy.chance, [stranger, manager, mallory]);
    const roots = enemy.chance() < 0.5 ? [by.key] : history.roster.roots;
    const signers = [...history.roster.signers, me];
    stateRoster(enemy, { ...history.roster, generation, roots, signers }, by);
    return "a roster of the enemy's is shown";
  },
  (enemy: Enemy): string => {
    // A pool of his own: the next pool file, with an identity that he knows.
    const { history, view, chance } = enemy;
    const pool = oneOf(chance, ["db", "web"]);
    const identity = history.ledger.identity();
    const now = history.poolNow(pool);
    const current = { epoch: now.current.epoch + 1, recipient: identity.recipient };
    const record = { ...now, generation: now.generation + 1, current };
    const bytes = encodePool(record);
    history.ledger.pools.set(hashOf(bytes), record);
    const folder = poolPath(pool, record.generation);
    const signed = history.ledger.sign("pool", bytes, [oneOf(chance, [mallory, stranger, root])]);
    history.publish(folder, "pool.json", bytes, signed, view);
    const list = view.get(`${poolPath(pool, now.generation)}/members.json`);
    if (list !== undefined) view.set(`${folder}/members.json`, list);
    const path = entryPath(pool, current.epoch, history.victim.recipient);
    view.set(path, history.ledger.entry(identity, history.victim.recipient));
    return `a pool file ${pool} of the enemy's is shown`;
  },
  (enemy: Enemy): string => {
    const { history, view, chance } = enemy;
    const { pool, current } = history.poolNow(oneOf(chance, ["db", "web"]));
    const known = [history.ledger.identity(), ...(history.pools.get(pool)?.epochs.values() ?? [])];
    const reader = oneOf(chance, [history.victim, history.operator]);
    const path = entryPath(pool, current.epoch, reader.recipient);
    view.set(path, history.ledger.entry(oneOf(chance, known), reader.recipient));
    return `${path} is made by the enemy`;
  },
  (enemy: Enemy): string => {
    const { history, view, chance } = enemy;
    const path = pathIn(enemy, "headers/");
    const recipients = [...history.pools.values()].flatMap(({ epochs }) => [...epochs.values()]);
    const to = oneOf(chance, [...recipients, ...history.evicted]).recipient;
    const fileKey =
      chance() < 0.5
        ? Buffer.alloc(16, Math.floor(chance() * 256))
        : oneOf(chance, [...history.ledger.payloads.values()]).fileKey;
    view.set(path, history.ledger.header(fileKey, to));
    return `${path} is made by the enemy`;
  },
  (enemy: Enemy): string => {
    // A member list of his own, with a node that was shut out or never let in.
    const { history, view, chance } = enemy;
    const { pool, generation } = history.poolNow(oneOf(chance, ["db", "web"]));
    const path = `${poolPath(pool, generation)}/members.json`;
    const { recipient } = oneOf(chance, [history.ledger.identity(), ...history.evicted]);
    const members = [{ node: "n0", recipient, hostKey: stranger.key }];
    const list: Members = { type: "members", version: 1, cluster: clusterId, pool, members };
    const bytes = encodeMembers(list);
    history.ledger.members.set(hashOf(bytes), list);
    view.set(path, bytes);
    return `${path} is the enemy's`;
  },
  (enemy: Enemy): string => {
    // A second statement under the number of an honest one.
    const { history, view, chance } = enemy;
    const own = history.statements.get("mal/own");
    if (own === undefined) return "nothing";
    const folder = statementPath(own.name, own.series, own.generation);
    for (const path of [...view.keys()]) if (path.startsWith(`${folder}/`)) view.delete(path);
    history.stateBundle(
      { ...own, expires: history.time(300 + Math.floor(chance() * 60)) },
      [mallory],
      view,
    );
    return "mal/own has a twin";
  },
];

function stateRoster({ history, view }: Enemy, roster: Roster, by: TestSigner): void {
  const bytes = encodeRoster(roster);
  history.ledger.rosters.set(hashOf(bytes), roster);
  const signed = history.ledger.sign("roster", bytes, [by]);
  history.publish(rosterPath(roster.generation), "roster.json", bytes, signed, view);
}
