import type { Identity } from "../../../src/crypto/identity.ts";
import { entryPath, headerPath, payloadPath, poolPath } from "../../../src/formats/paths.ts";
import { rosterPath, statementPath } from "../../../src/formats/paths.ts";
import { encodeMembers, encodePool, type Pool } from "../../../src/formats/records/pool.ts";
import { encodeRoster, type Roster } from "../../../src/formats/records/roster.ts";
import { encodeStatement, type Statement } from "../../../src/formats/records/statement.ts";
import { testSigner, type TestSigner } from "../../fixtures/signer.ts";
import { hashOf, Ledger, type View } from "./ledger.ts";

export const root = testSigner(1);
export const manager = testSigner(2);
export const ada = testSigner(3);
export const bob = testSigner(4);
/** May sign `mal/`, and means ill. */
export const mallory = testSigner(5);
export const stranger = testSigner(6);

export const clusterId = "00112233445566778899aabbccddeeff";
const day = 24 * 60 * 60 * 1000;

interface PoolState {
  record: Pool | undefined;
  readonly members: Map<string, Identity>;
  /** The pool's identities, by epoch. */
  readonly epochs: Map<number, Identity>;
}

/** What a signer says of a bundle; the rest follows from what was. */
export type Choice = Pick<Statement, "audience" | "units" | "inPlace" | "expires">;

/** A cluster that honest people change, step by step, and everything that they make. */
export class HonestHistory {
  readonly ledger: Ledger;
  readonly view: View = new Map();
  readonly operator: Identity;
  readonly victim: Identity;
  /** Identities of nodes that were shut out: the enemy has them. */
  readonly evicted: Identity[] = [];
  readonly pools = new Map<string, PoolState>();
  readonly statements = new Map<string, Statement>();
  roster: Roster;
  now = new Date("2026-01-01T00:00:00Z");
  #values = 0;

  constructor(chance: () => number) {
    this.ledger = new Ledger(chance);
    this.operator = this.ledger.identity();
    this.victim = this.ledger.identity();
    this.roster = {
      type: "roster",
      version: 1,
      cluster: clusterId,
      generation: 0,
      previous: null,
      ...this.dates(),
      threshold: 1,
      roots: [root.key],
      pools: ["db", "web"].map((name) => ({ name, managers: [manager.key] })),
      signers: [
        { name: "ada", signer: ada.key, names: ["billing", "dns", "web/"], expires: null },
        { name: "bob", signer: bob.key, names: ["billing"], expires: null },
        { name: "mallory", signer: mallory.key, names: ["mal/"], expires: null },
      ],
      operators: [{ name: "ops", recipient: this.operator.recipient }],
      names: [],
    };
    this.changeRoster({});
    this.changePool("web", new Map([["n1", this.victim]]));
    this.changePool("db", new Map([["n1", this.victim]]));
    const web = { audience: ["web"], units: ["dns.service"], inPlace: true, expires: null };
    this.seal("dns", ada, web, ["TOKEN"]);
    this.seal("billing", bob, { ...web, audience: ["db", "web"] }, ["KEY"]);
    this.seal("mal/own", mallory, web, ["TOKEN"]);
  }

  time(days: number): string {
    return new Date(this.now.getTime() + days * day).toISOString().replace(".000Z", "Z");
  }

  dates(): Pick<Roster, "issued" | "staleAfter"> {
    return { issued: this.time(0), staleAfter: this.time(90) };
  }

  pass(days: number): void {
    this.now = new Date(this.now.getTime() + days * day);
  }

  changeRoster(change: Partial<Roster>, by: readonly TestSigner[] = [root]): void {
    const generation = this.roster.generation + 1;
    this.roster = { ...this.roster, ...this.dates(), generation, ...change };
    const bytes = encodeRoster(this.roster);
    this.ledger.rosters.set(hashOf(bytes), this.roster);
    this.publish(
      rosterPath(generation),
      "roster.json",
      bytes,
      this.ledger.sign("roster", bytes, by),
    );
  }

  /** The next pool file; with `epoch` one that begins an epoch, with `settled` one that leaves none. */
  changePool(
    pool: string,
    members: ReadonlyMap<string, Identity>,
    how: { readonly epoch?: boolean; readonly settled?: boolean; readonly entries?: boolean } = {},
  ): void {
    const state: PoolState = this.pools.get(pool) ?? {
      record: undefined,
      members: new Map(),
      epochs: new Map(),
    };
    this.pools.set(pool, state);
    state.members.clear();
    for (const [node, identity] of members) state.members.set(node, identity);
    const last = state.record;
    const begins = last === undefined || how.epoch === true;
    const epoch = (last?.current.epoch ?? 0) + (begins ? 1 : 0);
    const identity = state.epochs.get(epoch) ?? this.ledger.identity();
    state.epochs.set(epoch, identity);
    if (how.entries !== false) {
      for (const reader of [...members.values(), this.operator]) {
        const path = entryPath(pool, epoch, reader.recipient);
        if (!this.view.has(path))
          this.view.set(path, this.ledger.entry(identity, reader.recipient));
      }
    }
    const list = encodeMembers({
      type: "members",
      version: 1,
      cluster: clusterId,
      pool,
      members: [...members]
        .map(([node, one]) => ({ node, recipient: one.recipient, hostKey: stranger.key }))
        .sort((a, b) => (a.node < b.node ? -1 : 1)),
    });
    const record: Pool = {
      type: "pool",
      version: 1,
      cluster: clusterId,
      pool,
      generation: (last?.generation ?? 0) + 1,
      previous: last === undefined ? null : hashOf(encodePool(last)),
      ...this.dates(),
      current: { epoch, recipient: identity.recipient },
      leaving:
        last === undefined || how.settled === true ? null : begins ? last.current : last.leaving,
      members: hashOf(list),
    };
    state.record = record;
    const bytes = encodePool(record);
    this.ledger.pools.set(hashOf(bytes), record);
    this.ledger.members.set(hashOf(list), JSON.parse(new TextDecoder().decode(list)) as never);
    const folder = poolPath(pool, record.generation);
    this.view.set(`${folder}/members.json`, list);
    this.publish(folder, "pool.json", bytes, this.ledger.sign("pool", bytes, [manager]));
  }

  /** The next generation of a bundle, with new values for `credentials`. */
  seal(bundle: string, by: TestSigner, choice: Choice, credentials: readonly string[]): void {
    const before = this.statements.get(bundle);
    const { series, minimum } = this.nameOf(bundle);
    const kept = before?.credentials.filter(({ name }) => !credentials.includes(name)) ?? [];
    const sameAudience = before?.audience.join() === choice.audience.join();
    const sealed = [...credentials, ...(sameAudience ? [] : kept.map(({ name }) => name))].map(
      (name) => this.sealValue(bundle, name, choice.audience, by),
    );
    const generation = 1 + (before?.series === series ? before.generation : 0);
    const statement: Statement = {
      type: "bundle",
      version: 1,
      cluster: clusterId,
      name: bundle,
      series,
      generation: Math.max(generation, minimum),
      previous: before === undefined ? null : hashOf(encodeStatement(before)),
      created: this.time(0),
      expires: choice.expires,
      rosterGeneration: this.roster.generation,
      audience: choice.audience,
      units: choice.units,
      inPlace: choice.inPlace,
      credentials: [...(sameAudience ? kept : []), ...sealed].sort((a, b) =>
        a.name < b.name ? -1 : 1,
      ),
    };
    this.statements.set(bundle, statement);
    this.stateBundle(statement, [by], this.view);
  }

  /** Seals one value as that signer would, into the view: what a statement says of it. */
  sealValue(
    bundle: string,
    credential: string,
    audience: readonly string[],
    by: TestSigner,
    view: View = this.view,
  ): Statement["credentials"][number] {
    const files = audience.map((pool) => this.poolNow(pool));
    const epochs = files.map(({ pool, current: { epoch } }) => ({ pool, epoch }));
    const text = `${bundle} ${credential} for ${audience.join("+")} ${String(this.#values++)}`;
    const byPool = Object.fromEntries(epochs.map(({ pool, epoch }) => [pool, epoch]));
    const binding = { cluster: clusterId, bundle, credential, audience: [...audience] };
    const made = this.ledger.payload(binding, text, byPool);
    view.set(payloadPath(bundle, made.hash), made.bytes);
    for (const { pool, current } of files) {
      const path = headerPath(pool, current.epoch, bundle, made.hash);
      view.set(path, this.ledger.header(made.fileKey, current.recipient));
    }
    const { hash: payload, sizeClass, commitment } = made;
    return {
      name: credential,
      payload,
      sizeClass,
      commitment,
      sealed: this.time(0),
      sealedBy: by.key,
      epochs,
    };
  }

  /** Signs a statement, and puts it into a view. */
  stateBundle(statement: Statement, by: readonly TestSigner[], view: View): void {
    const bytes = encodeStatement(statement);
    this.ledger.statements.set(hashOf(bytes), statement);
    const { name, series, generation } = statement;
    const folder = statementPath(name, series, generation);
    this.publish(folder, "statement.json", bytes, this.ledger.sign("bundle", bytes, by), view);
  }

  poolNow(pool: string): Pool {
    const record = this.pools.get(pool)?.record;
    if (record === undefined) throw new Error(`no pool ${pool}`);
    return record;
  }

  nameOf(bundle: string): { series: number; minimum: number } {
    return this.roster.names.find(({ name }) => name === bundle) ?? { series: 0, minimum: 0 };
  }

  publish(
    folder: string,
    record: string,
    bytes: Uint8Array,
    signatures: readonly (readonly [string, Uint8Array])[],
    view: View = this.view,
  ): void {
    view.set(`${folder}/${record}`, bytes);
    for (const [name, armoured] of signatures) view.set(`${folder}/${name}`, armoured);
  }
}
