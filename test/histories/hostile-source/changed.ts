import { decryptPayload } from "../../../src/formats/age/stream.ts";
import { openProfileHeader, parseDetachedHeader } from "../../../src/formats/age/profile.ts";
import { openEntry } from "../../../src/formats/entry.ts";
import type { Pool } from "../../../src/formats/records/pool.ts";
import type { Statement } from "../../../src/formats/records/statement.ts";
import { Failure } from "../../../src/failure.ts";
import type { HonestHistory } from "./honest-history.ts";
import { requireThat, type Intended } from "./intended.ts";
import { hashOf, type View } from "./ledger.ts";

// What may have changed in a source by a command that ended, well or not.

const json = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

/** The paths that are new or hold other bytes; refused if any is gone. */
export function changedIn(before: View, after: View): [string, Uint8Array][] {
  for (const path of before.keys()) requireThat(after.has(path), `${path} was removed`);
  return [...after].filter(([path, bytes]) => {
    const old = before.get(path);
    return old === undefined || hashOf(old) !== hashOf(bytes);
  });
}

/** The file key in a header that opens for one recipient, and for nobody else whom a history knows. */
function fileKeyFor(history: HonestHistory, bytes: Uint8Array, recipient: string): Uint8Array {
  const header = parseDetachedHeader(bytes);
  const opened = [...history.ledger.identities.values()].flatMap((identity) => {
    try {
      return [{ identity, fileKey: openProfileHeader(header, identity) }];
    } catch (error) {
      if (error instanceof Failure) return [];
      throw error;
    }
  });
  const [only] = opened;
  requireThat(opened.length === 1 && only?.identity.recipient === recipient, "opens for others");
  return only.fileKey;
}

/** The pool file by which something may be written now. */
function freshPool(intended: Intended, pool: string): Pool {
  const roster = intended.roster();
  requireThat(!intended.isOver(roster.staleAfter), "the roster is stale");
  const file = intended.pool(roster, pool);
  requireThat(file !== undefined && !intended.isOver(file.staleAfter), `pool file ${pool}`);
  return file;
}

/** All that a pass wrote, which is in the ledger then, is an entry of a member or operator, or a header that the statement's signer meant. */
export function requireOwed(
  history: HonestHistory,
  intended: Intended,
  changed: readonly (readonly [string, Uint8Array])[],
): void {
  for (const [path, bytes] of changed) {
    const [kind = "", pool = "", number = "", ...rest] = path.split("/");
    const file = freshPool(intended, pool);
    const epoch = Number(number);
    if (kind === "entries") {
      const reader = history.ledger.identities.get(rest.join("/").replace(/\.age$/u, ""));
      const isMember = intended
        .members(file)
        .members.some((one) => one.recipient === reader?.recipient);
      const operators = intended.roster().operators;
      const mayRead = isMember || operators.some((one) => one.recipient === reader?.recipient);
      requireThat(reader !== undefined && mayRead, `${path} is nobody's`);
      const named = [file.current, file.leaving].find((one) => one?.epoch === epoch)?.recipient;
      requireThat(named !== undefined, `${path} is of no epoch`);
      openEntry(bytes, reader, named);
      history.ledger.entries.set(hashOf(bytes), { to: reader.recipient, holds: named });
      continue;
    }
    requireThat(kind === "headers" && epoch === file.current.epoch, `${path} was written`);
    const bundle = rest.slice(0, -1).join("/");
    const payload = rest.at(-1) ?? "";
    const statement = intended.statement(intended.roster(), bundle);
    const credential = statement.credentials.find((one) => one.payload === payload);
    const sealed = history.ledger.payloads.get(payload);
    requireThat(sealed !== undefined && credential !== undefined, `${path} is of nothing`);
    requireThat(
      sealed.bundle === bundle && sealed.credential === credential.name,
      `${path}: another's`,
    );
    requireThat(sealed.audience.join() === statement.audience.join(), `${path}: another audience`);
    requireThat(sealed.audience.includes(pool), `${path}: not for ${pool}`);
    const fileKey = fileKeyFor(history, bytes, file.current.recipient);
    requireThat(hashOf(fileKey) === hashOf(sealed.fileKey), `${path}: another file key`);
    const since = sealed.epochs[pool] ?? 0;
    requireThat(since <= epoch, `${path}: sealed when epoch ${String(since)} had begun`);
    const header = { fileKey: hashOf(fileKey), to: file.current.recipient };
    history.ledger.headers.set(hashOf(bytes), header);
  }
}

/** All that sealing a value wrote is the next statement, and that value for whom it is to be for. */
export function requireSealed(
  history: HonestHistory,
  intended: Intended,
  changed: readonly (readonly [string, Uint8Array])[],
  bundle: string,
  credential: string,
  value: string,
): void {
  const roster = intended.roster();
  const before = intended.statement(roster, bundle);
  const files = before.audience.map((pool) => freshPool(intended, pool));
  const [, text] = changed.find(([path]) => path.endsWith("/statement.json")) ?? [];
  requireThat(text !== undefined, "no statement");
  const statement = json(text) as Statement;
  const { credentials, ...said } = statement;
  const kept = (one: Statement): string =>
    JSON.stringify(one.credentials.filter(({ name }) => name !== credential));
  const { audience, units, inPlace, expires, series } = before;
  expectSame(said, { ...said, name: bundle, series, audience, units, inPlace, expires });
  requireThat(kept(statement) === kept(before), "another credential was changed");
  requireThat(statement.generation > before.generation, "no later generation");
  const made = credentials.find(({ name }) => name === credential);
  requireThat(made !== undefined, "no value");
  const place = `bundles/${bundle}/${String(series)}.${String(statement.generation)}`;
  const headers = files.map(
    ({ pool, current }) => `headers/${pool}/${String(current.epoch)}/${bundle}/${made.payload}`,
  );
  const payload = `bundles/${bundle}/values/${made.payload}`;
  const isExpected = (path: string): boolean =>
    [...headers, payload, `${place}/statement.json`].includes(path) ||
    path.startsWith(`${place}/signatures/`);
  const paths = changed.map(([path]) => path);
  requireThat(
    paths.length === headers.length + 3 && paths.every(isExpected),
    "something else was written",
  );
  const written = new Map(changed);
  for (const [at, { current }] of files.entries()) {
    const fileKey = fileKeyFor(
      history,
      written.get(headers[at] ?? "") ?? new Uint8Array(),
      current.recipient,
    );
    const plain = json(decryptPayload(fileKey, written.get(payload) ?? new Uint8Array())) as object;
    const encoded = Buffer.from(value).toString("base64");
    const claims = { cluster: roster.cluster, bundle, credential, audience, value: encoded };
    expectSame(plain, { ...plain, ...claims });
  }
}

function expectSame(found: object, expected: object): void {
  requireThat(
    JSON.stringify(found) === JSON.stringify(expected),
    JSON.stringify([found, expected]),
  );
}
