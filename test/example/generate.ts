/**
 * Writes the worked example of docs/bundle-format.md, appendix B: a checkout of one cluster with
 * one pool, one node and one bundle, and the identities that open it.
 *
 * Run once, by `node test/example/generate.ts`, and only on a change of the format: encryption is
 * randomised, and the private halves of the SSH keys are thrown away. What it wrote has to be
 * readable for ever.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { concatBytes, hex, utf8 } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { createIdentity, encodeIdentity, type Identity } from "../../src/crypto/identity.ts";
import { sealHeader } from "../../src/formats/age/profile.ts";
import { sealEntry } from "../../src/formats/entry.ts";
import {
  entryPath,
  headerPath,
  nodeFolder,
  payloadPath,
  poolPath,
  rosterPath,
  signatureFile,
  statementPath,
} from "../../src/formats/paths.ts";
import { sealPayload } from "../../src/formats/payload.ts";
import { encodeCard } from "../../src/formats/records/card.ts";
import { encodeMembers, encodePool } from "../../src/formats/records/pool.ts";
import { encodeRoster } from "../../src/formats/records/roster.ts";
import { encodeStatement } from "../../src/formats/records/statement.ts";
import { parseSignerKey, type SignerKey } from "../../src/formats/sshsig/public-key.ts";
import { namespaces, type SignedType } from "../../src/formats/sshsig/signature.ts";

const here = import.meta.dirname;
const sshKeys = mkdtempSync(join(tmpdir(), "sealaunch-example-"));
const cluster = "0123456789abcdef0123456789abcdef";
const issued = "2026-11-25T12:00:00Z";
const staleAfter = "2027-02-23T12:00:00Z";

function write(path: string, bytes: Uint8Array | string): void {
  const file = join(here, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes, { flag: "wx" });
}

function makeSigner(name: string): SignerKey {
  execFileSync("ssh-keygen", [
    "-q",
    "-t",
    "ed25519",
    "-N",
    "",
    "-C",
    "",
    "-f",
    join(sshKeys, name),
  ]);
  return parseSignerKey(readFileSync(join(sshKeys, `${name}.pub`), "utf8"), name);
}

function sign(name: string, type: SignedType, input: Uint8Array): Uint8Array {
  const options = ["-Y", "sign", "-q", "-f", join(sshKeys, name), "-n", namespaces[type]];
  return execFileSync("ssh-keygen", options, { input });
}

function makeIdentity(file: string): Identity {
  const identity = createIdentity();
  const comment = utf8(
    `# of an example, known to everybody\n# public key: ${identity.recipient}\n`,
  );
  write(file, concatBytes(comment, encodeIdentity(identity), utf8("\n")));
  return identity;
}

const root = makeSigner("root");
const manager = makeSigner("manager");
const developer = makeSigner("developer");
const hostKey = makeSigner("host");
const operator = makeIdentity("operator.identity");
const node = makeIdentity("node.identity");
const pool = createIdentity();

const configuration = { cluster, source: "dir:.", roots: [root], threshold: 1 };
write("sealaunch.json", `${JSON.stringify(configuration, null, 2)}\n`);

const roster = encodeRoster({
  type: "roster",
  version: 1,
  cluster,
  generation: 1,
  previous: null,
  issued,
  staleAfter,
  threshold: 1,
  roots: [root],
  pools: [{ name: "web", managers: [manager] }],
  signers: [{ name: "dev", signer: developer, names: ["dns/"], expires: null }],
  operators: [{ name: "ops", recipient: operator.recipient }],
  names: [],
});
write(`keys/${rosterPath(1)}/roster.json`, roster);
write(`keys/${rosterPath(1)}/${signatureFile(root)}`, sign("root", "roster", roster));

const card = encodeCard({ node: "n1", recipient: node.recipient, created: issued });
write(`keys/${nodeFolder("n1")}/card.json`, card);
write(`keys/${nodeFolder("n1")}/card.json.sig`, sign("host", "card", card));

const members = encodeMembers({
  type: "members",
  version: 1,
  cluster,
  pool: "web",
  members: [{ node: "n1", recipient: node.recipient, hostKey }],
});
const poolFile = encodePool({
  type: "pool",
  version: 1,
  cluster,
  pool: "web",
  generation: 1,
  previous: null,
  issued,
  staleAfter,
  current: { epoch: 1, recipient: pool.recipient },
  leaving: null,
  members: hex(sha256(members)),
});
write(`keys/${poolPath("web", 1)}/pool.json`, poolFile);
write(`keys/${poolPath("web", 1)}/members.json`, members);
write(`keys/${poolPath("web", 1)}/${signatureFile(manager)}`, sign("manager", "pool", poolFile));
for (const { recipient } of [operator, node]) {
  write(`keys/${entryPath("web", 1, recipient)}`, sealEntry(pool, recipient));
}

const bundle = "dns/cloudflare";
const audience = ["web"];
const payload = sealPayload(
  { cluster, bundle, credential: "CF_TOKEN", audience },
  utf8("correct horse battery staple"),
);
write(`secrets/${payloadPath(bundle, payload.hash)}`, payload.bytes);
const header = sealHeader(payload.fileKey, pool.recipient);
write(`secrets/${headerPath("web", 1, bundle, payload.hash)}`, header);
const statement = encodeStatement({
  type: "bundle",
  version: 1,
  cluster,
  name: bundle,
  series: 0,
  generation: 1,
  previous: null,
  created: issued,
  expires: null,
  rosterGeneration: 1,
  audience,
  units: ["dns.service"],
  inPlace: true,
  credentials: [
    {
      name: "CF_TOKEN",
      payload: payload.hash,
      sizeClass: payload.sizeClass,
      commitment: payload.commitment,
      sealed: issued,
      sealedBy: developer,
      epochs: [{ pool: "web", epoch: 1 }],
    },
  ],
});
const statementFolder = `secrets/${statementPath(bundle, 0, 1)}`;
write(`${statementFolder}/statement.json`, statement);
write(`${statementFolder}/${signatureFile(developer)}`, sign("developer", "bundle", statement));

rmSync(sshKeys, { recursive: true });
