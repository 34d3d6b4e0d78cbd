import { bech32 } from "@scure/base";
import { textOf, utf8 } from "../../src/crypto/bytes.ts";
import { keyOfRecipient } from "../../src/crypto/recipient.ts";
import {
  sampleCard,
  sampleMembers,
  samplePool,
  sampleRoster,
  testIdentity,
  testSigner,
} from "../formats/samples.ts";
import {
  countFaults,
  hashFaults,
  segmentFaults,
  spell,
  spellingFaults,
  timeFaults,
  validVector,
  vectorsOf,
} from "./breaking.ts";
import type { Vector } from "./vector-file.ts";

const recipient = sampleCard.recipient;
/** Texts that look like a recipient. */
const wrongRecipients = {
  "recipient-upper-case": ["a recipient in upper case", recipient.toUpperCase()],
  "recipient-x25519": [
    "age's classical recipient",
    bech32.encode("age", bech32.toWords(keyOfRecipient(recipient).subarray(0, 32))),
  ],
  "recipient-checksum": ["a recipient with a wrong letter", `${recipient.slice(0, -9)}qqqqqqqqq`],
  "recipient-short": [
    "a recipient of 1215 bytes",
    bech32.encode("age1pq", bech32.toWords(keyOfRecipient(recipient).subarray(1)), false),
  ],
  "recipient-blank": ["a recipient and a blank", `${recipient} `],
  "recipient-identity": ["an identity's beginning for a recipient", "AGE-SECRET-KEY-PQ-1QQQQ"],
} as const;

const alice = testSigner("alice").signer;
const aliceBlob = alice.slice("ssh-ed25519 ".length);
/** Texts that look like a signer. */
export const wrongSigners = {
  "signer-rsa": ["an RSA key for a signer", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQC="],
  "signer-type": ["a key whose line names another type", `ssh-rsa ${aliceBlob}`],
  "signer-comment": ["a signer with a comment", `${alice} alice@example.org`],
  "signer-blanks": ["two blanks in a signer", alice.replace(" ", "  ")],
  "signer-newline": ["a signer and a newline", `${alice}\n`],
  "signer-unpadded": ["a signer with a letter too few", alice.slice(0, -1)],
  "signer-short": ["a signer with four letters too few", alice.slice(0, -4)],
  "signer-application": [
    "a plain key that calls itself a security key",
    `sk-ssh-ed25519@openssh.com ${aliceBlob}`,
  ],
} as const;

const cardVector = vectorsOf("card", "card/malformed");
const cards: readonly Vector[] = [
  validVector("card", sampleCard),
  ...spellingFaults("card", "card/malformed", sampleCard),
  ...timeFaults("card", "card/malformed", sampleCard, "created"),
  ...segmentFaults("card", "card/malformed", (node) => ({ ...sampleCard, node })),
  ...Object.entries(wrongRecipients).map(([name, [comment, text]]) =>
    cardVector(name, comment, spell({ ...sampleCard, recipient: text })),
  ),
  cardVector(
    "too-large",
    "blanks at the end, 4097 bytes in all",
    utf8((textOf(spell(sampleCard)) ?? "").padEnd(4097, " ")),
  ),
];

const [edge, main] = sampleRoster.pools as [object, object];
const [signer, securityKey] = sampleRoster.signers as [object, object];
const rosterVector = vectorsOf("roster", "roster/malformed");
const roster = (name: string, comment: string, change: object): Vector =>
  rosterVector(name, comment, spell({ ...sampleRoster, ...change }));
const scope = (name: string, comment: string, ...names: string[]): Vector =>
  roster(name, comment, { signers: [{ ...signer, names }, securityKey] });
const rosterName = (name: string, comment: string, bundle: string): Vector =>
  roster(name, comment, { names: [{ name: bundle, series: 0, minimum: 2 }] });

const rosters: readonly Vector[] = [
  validVector("roster", sampleRoster),
  ...spellingFaults("roster", "roster/malformed", sampleRoster),
  ...countFaults("roster", "roster/malformed", sampleRoster, "generation"),
  ...hashFaults("roster", "roster/malformed", (previous) => ({ ...sampleRoster, previous })),
  ...Object.entries(wrongSigners).map(([name, [comment, text]]) =>
    roster(name, comment, { signers: [{ ...signer, signer: text }, securityKey] }),
  ),
  roster("generation-zero", "generation 0", { generation: 0 }),
  roster("threshold-zero", "a threshold that nobody has to meet", { threshold: 0 }),
  roster("cluster-upper-case", "a cluster in upper case", {
    cluster: sampleRoster.cluster.toUpperCase(),
  }),
  roster("cluster-short", "a cluster of 31 digits", { cluster: sampleRoster.cluster.slice(1) }),
  roster("roots-none", "no root", { roots: [] }),
  roster("roots-doubled", "a root twice", {
    roots: [sampleRoster.roots[0], sampleRoster.roots[0]],
  }),
  roster("roots-unsorted", "roots in falling order", { roots: sampleRoster.roots.toReversed() }),
  roster("roots-null", "null among the roots", { roots: [null, ...sampleRoster.roots] }),
  roster("pools-unsorted", "pools in falling order", { pools: [main, edge] }),
  roster("pools-doubled", "a pool twice", { pools: [main, main] }),
  roster("pools-object", "pools by name, not a list", { pools: { edge, main } }),
  roster("managers-none", "a pool without manager", { pools: [{ ...main, managers: [] }] }),
  roster("managers-doubled", "a manager twice", { pools: [{ ...main, managers: [alice, alice] }] }),
  roster("pool-unknown-field", "a field within a pool", { pools: [{ ...main, weight: 1 }] }),
  roster("signers-unsorted", "signers in falling order", { signers: [securityKey, signer] }),
  roster("operators-none", "no operator", { operators: [] }),
  roster("expires-missing", "a signer without expires", {
    signers: [{ name: "alice", signer: alice, names: ["web"] }],
  }),
  scope("scopes-none", "a signer who may sign nothing"),
  scope("scopes-unsorted", "scopes in falling order", "web", "dns/"),
  scope("scopes-doubled", "a scope twice", "web", "web"),
  scope("scope-everything", "a scope that is every name", "/"),
  scope("scope-empty", "an empty scope", ""),
  scope("scope-glob", "a scope with a star", "dns/*"),
  scope("scope-parent", "a scope that climbs", "../dns/"),
  scope("scope-two-slashes", "a scope that ends in two slashes", "dns//"),
  scope("scope-upper-case", "a scope in upper case", "DNS/"),
  rosterName("bundle-parent", "a bundle ..", ".."),
  rosterName("bundle-two-slashes", "an empty segment in a bundle's name", "a//b"),
  rosterName("bundle-generation", "a bundle named like a generation", "0.1"),
  rosterName("bundle-values", "a bundle below values", "dns/values"),
  roster("series-negative", "a series below zero", {
    names: [{ name: "dns/resolver", series: -1, minimum: 2 }],
  }),
];

const poolVector = vectorsOf("pool", "pool/malformed");
const pool = (name: string, comment: string, change: object): Vector =>
  poolVector(name, comment, spell({ ...samplePool, ...change }));

const pools: readonly Vector[] = [
  validVector("pool", samplePool),
  ...spellingFaults("pool", "pool/malformed", samplePool),
  ...timeFaults("pool", "pool/malformed", samplePool, "staleAfter"),
  ...countFaults("pool", "pool/malformed", samplePool, "generation"),
  ...hashFaults("pool", "pool/malformed", (members) => ({ ...samplePool, members })),
  ...segmentFaults("pool", "pool/malformed", (name) => ({ ...samplePool, pool: name })),
  ...Object.entries(wrongRecipients).map(([name, [comment, text]]) =>
    pool(name, comment, { current: { epoch: 2, recipient: text } }),
  ),
  pool("generation-zero", "generation 0", { generation: 0 }),
  pool("epoch-zero", "epoch 0", { current: { ...samplePool.current, epoch: 0 } }),
  pool("current-null", "no current epoch", { current: null }),
  pool("leaving-missing", "no field leaving", {
    leaving: undefined,
  }),
  pool("leaving-list", "two epochs that are being left", {
    leaving: [samplePool.leaving, samplePool.leaving],
  }),
  pool("members-null", "no member list", { members: null }),
  pool("epoch-out-of-order", "an epoch's recipient before its number", {
    current: { recipient: samplePool.current.recipient, epoch: 2 },
  }),
];

const [one, two] = sampleMembers.members as [object, object];
const membersVector = vectorsOf("members", "members/malformed");
const members = (name: string, comment: string, ...list: unknown[]): Vector =>
  membersVector(name, comment, spell({ ...sampleMembers, members: list }));

const memberLists: readonly Vector[] = [
  validVector("members", sampleMembers),
  ...spellingFaults("members", "members/malformed", sampleMembers),
  ...segmentFaults("members", "members/malformed", (node) => ({
    ...sampleMembers,
    members: [{ ...one, node }],
  })),
  ...Object.entries(wrongRecipients).map(([name, [comment, text]]) =>
    members(name, comment, { ...one, recipient: text }, two),
  ),
  ...Object.entries(wrongSigners).map(([name, [comment, text]]) =>
    members(name, comment, { ...one, hostKey: text }, two),
  ),
  members("unsorted", "members in falling order", two, one),
  members("doubled", "a member twice", one, one),
  members("same-node", "two members of one name", one, { ...two, node: "node-1" }),
  members("null-member", "null for a member", null),
  members("text-member", "a name for a member", "node-1"),
  members("list-member", "a list for a member", [one]),
  members("no-host-key", "a member without host key", {
    node: "node-1",
    recipient: testIdentity("node-1").recipient,
  }),
  members("member-unknown-field", "a field within a member", { ...one, weight: 1 }),
];

/** The vectors of cards, rosters, pool files and member lists. */
export const recordVectors: readonly Vector[] = [...cards, ...rosters, ...pools, ...memberLists];
