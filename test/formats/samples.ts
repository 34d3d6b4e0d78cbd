import { hex, utf8 } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { identityOfSeed, type Identity } from "../../src/crypto/identity.ts";
import { sealHeader } from "../../src/formats/age/profile.ts";
import { sealPayload, type SealedPayload } from "../../src/formats/payload.ts";
import type { Card } from "../../src/formats/records/card.ts";
import type { Members, Pool } from "../../src/formats/records/pool.ts";
import type { Roster } from "../../src/formats/records/roster.ts";
import { encodeStatement, type Statement } from "../../src/formats/records/statement.ts";
import { namespaces } from "../../src/formats/sshsig/signature.ts";
import { armouredSignature, signerOfSeed, type TestSigner } from "./sshsig-maker.ts";

// One small cluster with everything in it, made from fixed seeds. The keys are public knowledge.

const seed = (name: string): Uint8Array => sha256(utf8(`sealaunch test key: ${name}`));

/** The identity that tests call `name`; always the same. */
export function testIdentity(name: string): Identity {
  return identityOfSeed(seed(name));
}

/** The signer that tests call `name`; always the same. A security key with an application. */
export function testSigner(name: string, application?: string): TestSigner {
  return signerOfSeed(seed(name), application);
}

const cluster = "0123456789abcdef0123456789abcdef";
const alice = testSigner("alice").signer;
const securityKey = testSigner("security key", "ssh:").signer;
const issued = "2026-11-25T12:00:00Z";
const staleAfter = "2027-02-23T12:00:00Z";

export const sampleCard: Card = {
  type: "card",
  version: 1,
  node: "node-1",
  recipient: testIdentity("node-1").recipient,
  created: issued,
};

export const sampleRoster: Roster = {
  type: "roster",
  version: 1,
  cluster,
  generation: 3,
  previous: hex(sha256(utf8("roster 2"))),
  issued,
  staleAfter,
  threshold: 1,
  roots: [testSigner("root").signer, securityKey].sort(),
  pools: [
    { name: "edge", managers: [alice] },
    { name: "main", managers: [alice] },
  ],
  signers: [
    { name: "alice", signer: alice, names: ["dns/", "web"], expires: null },
    { name: "bob", signer: securityKey, names: ["billing/"], expires: staleAfter },
  ],
  operators: [{ name: "ops", recipient: testIdentity("operator").recipient }],
  names: [{ name: "dns/resolver", series: 0, minimum: 2 }],
};

export const sampleMembers: Members = {
  type: "members",
  version: 1,
  cluster,
  pool: "main",
  members: ["node-1", "node-2"].map((node) => ({
    node,
    recipient: testIdentity(node).recipient,
    hostKey: testSigner(`host key of ${node}`).signer,
  })),
};

export const samplePool: Pool = {
  type: "pool",
  version: 1,
  cluster,
  pool: "main",
  generation: 2,
  previous: hex(sha256(utf8("pool main 1"))),
  issued,
  staleAfter,
  current: { epoch: 2, recipient: testIdentity("pool main 2").recipient },
  leaving: { epoch: 1, recipient: testIdentity("pool main 1").recipient },
  members: hex(sha256(utf8("member list"))),
};

/** A statement with one credential, and everything that its reader needs. */
export interface SampleBundle {
  readonly statement: Statement;
  readonly statementBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly payload: SealedPayload;
  readonly header: Uint8Array;
  /** The pool's identity, which opens the header. */
  readonly identity: Identity;
  readonly value: Uint8Array;
}

/** What the sample statement's payload is sealed for. */
export const sampleBinding = {
  cluster,
  bundle: "dns/resolver",
  credential: "token",
  audience: ["edge", "main"],
};

/** The sample statement around a sealed payload. */
export function sampleStatement(
  facts: Pick<SealedPayload, "hash" | "sizeClass" | "commitment">,
): Statement {
  return {
    type: "bundle",
    version: 1,
    cluster,
    name: sampleBinding.bundle,
    series: 0,
    generation: 2,
    previous: hex(sha256(utf8("statement 1"))),
    created: issued,
    expires: null,
    rosterGeneration: 3,
    audience: sampleBinding.audience,
    units: ["dns@", "resolver.service"],
    inPlace: true,
    credentials: [
      {
        name: sampleBinding.credential,
        payload: facts.hash,
        sizeClass: facts.sizeClass,
        commitment: facts.commitment,
        sealed: issued,
        sealedBy: alice,
        epochs: [
          { pool: "edge", epoch: 1 },
          { pool: "main", epoch: 2 },
        ],
      },
    ],
  };
}

/** A whole bundle around `value`, sealed anew at each call. */
export function sealSample(value: Uint8Array = utf8("not so secret")): SampleBundle {
  const identity = testIdentity("pool main 2");
  const payload = sealPayload(sampleBinding, value);
  const statement = sampleStatement(payload);
  const statementBytes = encodeStatement(statement);
  return {
    statement,
    statementBytes,
    signature: armouredSignature(testSigner("alice"), statementBytes, namespaces.bundle),
    payload,
    header: sealHeader(payload.fileKey, identity.recipient),
    identity,
    value,
  };
}
