import * as fc from "fast-check";
import { hex } from "../../src/crypto/bytes.ts";
import type { Binding } from "../../src/formats/payload.ts";
import type { Card } from "../../src/formats/records/card.ts";
import type { Members, Pool } from "../../src/formats/records/pool.ts";
import type { Roster } from "../../src/formats/records/roster.ts";
import type { Statement } from "../../src/formats/records/statement.ts";
import { nameKinds, type NameKind } from "../../src/formats/names.ts";
import { formatTime } from "../../src/formats/fields.ts";
import { sizeClasses } from "../../src/formats/payload.ts";
import { testIdentity, testSigner } from "./samples.ts";

// Valid records of every shape that the schemas allow.

const recipients = ["a", "b", "c", "d"].map((name) => testIdentity(name).recipient);
const signers = ["a", "b", "c", "d"].map((name) => testSigner(name).signer);
signers.push(testSigner("e", "ssh:").signer, testSigner("f", "").signer);

const digits = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length / 2, maxLength: length / 2 }).map(hex);
const count = (least: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: least, max: 20 }),
    fc.maxSafeNat().map((n) => least + (n % 2 ** 47)),
    fc.constant(2 ** 48),
  );
const hash = digits(64);
const time = fc
  .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map(formatTime);
const recipient = fc.constantFrom(...recipients);
const signer = fc.constantFrom(...signers);

function name(kind: NameKind, pattern: RegExp): fc.Arbitrary<string> {
  return fc.stringMatching(pattern).filter((text) => nameKinds[kind].is(text));
}

const segment = (kind: NameKind): fc.Arbitrary<string> =>
  name(kind, /^[a-z0-9][a-z0-9._-]{0,20}$/u);
const bundle = name("bundle", /^[a-z0-9][a-z0-9._-]{0,8}(?:\/[a-z0-9][a-z0-9._-]{0,8}){0,3}$/u);
const unit = name("unit", /^[a-zA-Z0-9:_.\\-]{1,12}(?:@[a-zA-Z0-9:_.\\-]{0,8})?$/u);
const credentialName = name("credential", /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}$/u);

function rising<T>(
  item: fc.Arbitrary<T>,
  by: (item: T) => string,
  minLength = 0,
): fc.Arbitrary<T[]> {
  return fc
    .uniqueArray(item, { selector: by, minLength, maxLength: 5 })
    .map((items) => items.toSorted((a, b) => (by(a) < by(b) ? -1 : 1)));
}

const itself = (text: string): string => text;
const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value);

export const anyCard: fc.Arbitrary<Card> = fc.record({
  type: fc.constant("card"),
  version: fc.constant(1),
  node: segment("node"),
  recipient,
  created: time,
});

export const anyRoster: fc.Arbitrary<Roster> = fc.record({
  type: fc.constant("roster"),
  version: fc.constant(1),
  cluster: digits(32),
  generation: count(1),
  previous: nullable(hash),
  issued: time,
  staleAfter: time,
  threshold: count(1),
  roots: rising(signer, itself, 1),
  pools: rising(
    fc.record({ name: segment("pool"), managers: rising(signer, itself, 1) }),
    (pool) => pool.name,
  ),
  signers: rising(
    fc.record({
      name: segment("signer"),
      signer,
      names: rising(
        fc.oneof(
          bundle,
          bundle.map((text) => `${text.slice(0, 100)}/`),
        ),
        itself,
        1,
      ),
      expires: nullable(time),
    }),
    (item) => item.name,
  ),
  operators: rising(fc.record({ name: segment("operator"), recipient }), (item) => item.name, 1),
  names: rising(
    fc.record({ name: bundle, series: count(0), minimum: count(0) }),
    (item) => item.name,
  ),
});

const epoch = fc.record({ epoch: count(1), recipient });

export const anyPool: fc.Arbitrary<Pool> = fc.record({
  type: fc.constant("pool"),
  version: fc.constant(1),
  cluster: digits(32),
  pool: segment("pool"),
  generation: count(1),
  previous: nullable(hash),
  issued: time,
  staleAfter: time,
  current: epoch,
  leaving: nullable(epoch),
  members: hash,
});

export const anyMembers: fc.Arbitrary<Members> = fc.record({
  type: fc.constant("members"),
  version: fc.constant(1),
  cluster: digits(32),
  pool: segment("pool"),
  members: rising(
    fc.record({ node: segment("node"), recipient, hostKey: signer }),
    (member) => member.node,
  ),
});

export const anyStatement: fc.Arbitrary<Statement> = fc.record({
  type: fc.constant("bundle"),
  version: fc.constant(1),
  cluster: digits(32),
  name: bundle,
  series: count(0),
  generation: count(1),
  previous: nullable(hash),
  created: time,
  expires: nullable(time),
  rosterGeneration: count(1),
  audience: rising(segment("pool"), itself, 1),
  units: rising(unit, itself),
  inPlace: fc.boolean(),
  credentials: rising(
    fc.record({
      name: credentialName,
      payload: hash,
      sizeClass: fc.constantFrom(...sizeClasses),
      commitment: hash,
      sealed: time,
      sealedBy: signer,
      epochs: rising(fc.record({ pool: segment("pool"), epoch: count(1) }), (item) => item.pool, 1),
    }),
    (item) => item.name,
    1,
  ),
});

export const anyBinding: fc.Arbitrary<Binding> = fc.record({
  cluster: digits(32),
  bundle,
  credential: credentialName,
  audience: rising(segment("pool"), itself, 1),
});
