import { recipientId, type Recipient } from "../../../src/crypto/recipient.ts";
import type { Members, Pool } from "../../../src/formats/records/pool.ts";
import type { Roster } from "../../../src/formats/records/roster.ts";
import type { Statement } from "../../../src/formats/records/statement.ts";
import { signerKeyId, type SignerKey } from "../../../src/formats/sshsig/public-key.ts";
import { clusterId, root } from "./honest-history.ts";
import { hashOf, type Ledger, type View } from "./ledger.ts";

// What may come of a view, worked out from what everybody made and never from bytes: apart from the
// code that is judged, whose order and messages don't matter here.

/** What a machine has seen: by folder, the highest generation and the hash that it had. */
export type Seen = ReadonlyMap<
  string,
  { readonly place: readonly [number, number]; readonly hash: string }
>;

/** Nothing may come of it. */
export class Unintended extends Error {}

/** @throws Unintended unless it holds */
export function requireThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Unintended(what);
}

/** A view, with what is known of its bytes. */
export class Intended {
  readonly #ledger: Ledger;
  readonly #view: View;
  readonly #seen: Seen;
  readonly #now: number;

  constructor(ledger: Ledger, view: View, seen: Seen, now: Date) {
    this.#ledger = ledger;
    this.#view = view;
    this.#seen = seen;
    this.#now = now.getTime();
  }

  #known<T>(of: ReadonlyMap<string, T>, path: string): T | undefined {
    const bytes = this.#view.get(path);
    return bytes && of.get(hashOf(bytes));
  }

  /** The highest number that names a folder. */
  #newest(folder: string, pattern: RegExp): number {
    const rest = [...this.#view.keys()].flatMap((path) =>
      path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1).split("/", 1)[0] ?? ""] : [],
    );
    const most = Math.max(0, ...rest.map((name) => Number(pattern.exec(name)?.[1] ?? 0)));
    requireThat(most > 0, `nothing in ${folder}`);
    return most;
  }

  /** Who has signed an object, of those who count. */
  #signers(folder: string, path: string, allowed: readonly SignerKey[]): SignerKey[] {
    const over = hashOf(this.#view.get(path) ?? new Uint8Array());
    const all = [...this.#view.keys()].filter((name) => name.startsWith(`${folder}/signatures/`));
    return allowed.filter((key) =>
      all.some((name) => {
        const signature = this.#known(this.#ledger.signatures, name);
        const isRead = all.length <= 32 || name.endsWith(`/${signerKeyId(key)}.sig`);
        return isRead && signature?.by === key && signature.over === over;
      }),
    );
  }

  #requireNew(folder: string, place: readonly [number, number], path: string): void {
    const seen = this.#seen.get(folder);
    if (seen === undefined) return;
    const order = place[0] - seen.place[0] || place[1] - seen.place[1];
    const isSame = hashOf(this.#view.get(path) ?? new Uint8Array()) === seen.hash;
    requireThat(order > 0 || (order === 0 && isSame), `${folder} is older than what was seen`);
  }

  roster(): Roster {
    const generation = this.#newest("roster", /^([1-9][0-9]*)$/u);
    const folder = `roster/${String(generation)}`;
    const path = `${folder}/roster.json`;
    const roster = this.#known(this.#ledger.rosters, path);
    requireThat(roster?.cluster === clusterId && roster.generation === generation, path);
    requireThat(this.#signers(folder, path, [root.key]).length === 1, `${path} isn't signed`);
    this.#requireNew("roster", [0, generation], path);
    return roster;
  }

  /** A pool's file; undefined if it has none. */
  pool(roster: Roster, pool: string): Pool | undefined {
    const managers = roster.pools.find(({ name }) => name === pool)?.managers;
    requireThat(managers !== undefined, `no pool ${pool}`);
    if (![...this.#view.keys()].some((path) => new RegExp(`^pools/${pool}/[1-9]`, "u").test(path)))
      return undefined;
    const generation = this.#newest(`pools/${pool}`, /^([1-9][0-9]*)$/u);
    const folder = `pools/${pool}/${String(generation)}`;
    const path = `${folder}/pool.json`;
    // A folder without the record is as none.
    if (!this.#view.has(path)) return undefined;
    const record = this.#known(this.#ledger.pools, path);
    requireThat(record?.cluster === clusterId && record.pool === pool, path);
    requireThat(record.generation === generation, path);
    requireThat(this.#signers(folder, path, managers).length > 0, `${path} isn't signed`);
    this.#requireNew(`pools/${pool}`, [0, generation], path);
    return record;
  }

  members({ pool, generation, members }: Pool): Members {
    const list = this.#known(
      this.#ledger.members,
      `pools/${pool}/${String(generation)}/members.json`,
    );
    requireThat(list?.pool === pool, "no member list");
    requireThat(list === this.#ledger.members.get(members), "another member list");
    return list;
  }

  statement(roster: Roster, bundle: string): Statement {
    const series = roster.names.find(({ name }) => name === bundle)?.series ?? 0;
    const generation = this.#newest(
      `bundles/${bundle}`,
      new RegExp(`^${String(series)}\\.([1-9][0-9]*)$`, "u"),
    );
    const folder = `bundles/${bundle}/${String(series)}.${String(generation)}`;
    const path = `${folder}/statement.json`;
    const statement = this.#known(this.#ledger.statements, path);
    requireThat(statement?.cluster === clusterId && statement.name === bundle, path);
    requireThat(statement.series === series && statement.generation === generation, path);
    const allowed = roster.signers.filter(
      ({ names, expires }) =>
        (expires === null || Date.parse(expires) > this.#now) &&
        names.some(
          (scope) => scope === bundle || (scope.endsWith("/") && bundle.startsWith(scope)),
        ),
    );
    const signed = this.#signers(
      folder,
      path,
      allowed.map(({ signer }) => signer),
    );
    requireThat(signed.length > 0, `nobody who may has signed ${path}`);
    this.#requireNew(`bundles/${bundle}`, [series, generation], path);
    return statement;
  }

  entryPath({ pool, current }: Pool, reader: Recipient): string {
    return `entries/${pool}/${String(current.epoch)}/${recipientId(reader)}.age`;
  }

  /** Whether a date is over. */
  isOver(time: string | null): boolean {
    return time !== null && Date.parse(time) <= this.#now;
  }

  /** The values that a start gets, by credential. @throws Unintended if it may get none */
  start(
    bundle: string,
    unit: string | undefined,
    floor: number,
    reader: Recipient,
  ): Map<string, string> {
    const roster = this.roster();
    const statement = this.statement(roster, bundle);
    const minimum = roster.names.find(({ name }) => name === bundle)?.minimum ?? 0;
    requireThat(!this.isOver(statement.expires), "it has expired");
    requireThat(statement.generation >= Math.max(minimum, floor), "it is too old");
    const isFor = unit === undefined ? statement.inPlace : statement.units.includes(unit);
    requireThat(isFor, "it is for others");
    const held: { pool: string; epoch: number; recipient: Recipient }[] = [];
    for (const pool of statement.audience) {
      const file = this.pool(roster, pool);
      for (const one of file === undefined ? [] : [file.current, file.leaving]) {
        if (one === null) continue;
        const path = `entries/${pool}/${String(one.epoch)}/${recipientId(reader)}.age`;
        if (!this.#view.has(path)) continue;
        const entry = this.#known(this.#ledger.entries, path);
        requireThat(entry?.to === reader && entry.holds === one.recipient, path);
        held.push({ pool, ...one });
      }
    }
    const values = new Map<string, string>();
    for (const { name, payload } of statement.credentials) {
      const place = held
        .map((one) => ({
          ...one,
          path: `headers/${one.pool}/${String(one.epoch)}/${bundle}/${payload}`,
        }))
        .find(({ path }) => this.#view.has(path));
      requireThat(place !== undefined, `no header of ${name}`);
      const sealed = this.#ledger.payloads.get(payload);
      const present = this.#known(this.#ledger.payloads, `bundles/${bundle}/values/${payload}`);
      requireThat(sealed !== undefined && present === sealed, `no payload of ${name}`);
      const header = this.#known(this.#ledger.headers, place.path);
      requireThat(
        header?.to === place.recipient && header.fileKey === hashOf(sealed.fileKey),
        place.path,
      );
      requireThat(sealed.cluster === clusterId && sealed.bundle === bundle, "another's value");
      requireThat(sealed.credential === name, "another credential's value");
      requireThat(sealed.audience.join() === statement.audience.join(), "another audience");
      values.set(name, sealed.value);
    }
    return values;
  }
}
