/**
 * Appendix B of docs/bundle-format.md, made from the files of the example. Run directly it prints
 * the appendix; test/bundle-format.test.ts holds the page to it.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { hex, textOf } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { parseIdentityFile } from "../../src/crypto/identity.ts";
import { recipientId } from "../../src/crypto/recipient.ts";
import { openProfileHeader, parseDetachedHeader } from "../../src/formats/age/profile.ts";
import { decryptPayload } from "../../src/formats/age/stream.ts";
import { openEntry } from "../../src/formats/entry.ts";
import {
  entryPath,
  headerPath,
  payloadPath,
  poolPath,
  statementPath,
} from "../../src/formats/paths.ts";
import { commitmentOf } from "../../src/formats/payload.ts";
import { decodePool } from "../../src/formats/records/pool.ts";
import { decodeStatement } from "../../src/formats/records/statement.ts";
import { signerKeyId } from "../../src/formats/sshsig/public-key.ts";

const here = import.meta.dirname;

const read = (path: string): Uint8Array => readFileSync(join(here, path));
const text = (bytes: Uint8Array): string => textOf(bytes) ?? "";
const cut = (lines: string): string => lines.replace(/^(.{88}).+$/gmu, "$1…");
const block = (lines: string): string => `\`\`\`\n${lines.trimEnd()}\n\`\`\``;

/** The appendix, without its heading. */
export function appendix(): string {
  const node = parseIdentityFile(read("node.identity"), "node.identity");
  const poolFile = decodePool(read(`keys/${poolPath("web", 1)}/pool.json`));
  const statementFolder = `secrets/${statementPath("dns/cloudflare", 0, 1)}`;
  const statementBytes = read(`${statementFolder}/statement.json`);
  const statement = decodeStatement(statementBytes);
  const [credential] = statement.credentials;
  if (credential === undefined) throw new Error("the example has lost its credential");
  const [signature = ""] = readdirSync(join(here, statementFolder, "signatures"));

  const entry = entryPath("web", 1, node.recipient);
  const pool = openEntry(read(`keys/${entry}`), node, poolFile.current.recipient);
  const headerAt = headerPath("web", 1, statement.name, credential.payload);
  const header = read(`secrets/${headerAt}`);
  const fileKey = openProfileHeader(parseDetachedHeader(header), pool);
  const payloadAt = payloadPath(statement.name, credential.payload);
  const payload = read(`secrets/${payloadAt}`);
  const plaintext = decryptPayload(fileKey, payload);

  return `
\`${statementFolder}/statement.json\`, ${String(statementBytes.length)} bytes with SHA-256 \`${hex(sha256(statementBytes))}\`:

${block(text(statementBytes))}

Its signer's ID is \`${signerKeyId(credential.sealedBy)}\`, so its signature is \`signatures/${signature}\`:

${block(text(read(`${statementFolder}/signatures/${signature}`)))}

The node's recipient begins \`${node.recipient.slice(0, 24)}…\` and has the ID \`${recipientId(node.recipient)}\`.
Its entry, \`keys/${entry}\`, opens with the node's identity to the pool's, whose recipient
begins \`${pool.recipient.slice(0, 24)}…\` and has the ID \`${recipientId(pool.recipient)}\`.

The header \`secrets/${headerAt}\`, its long line cut here:

${block(cut(text(header)))}

gives, with the pool's identity, the file key \`${hex(fileKey)}\`, whose commitment is
\`${commitmentOf(fileKey)}\`. The payload of ${String(payload.length)} bytes, whose SHA-256 is its name,
begins with the nonce \`${hex(payload.subarray(0, 16))}\` and decrypts under this file key to
${String(plaintext.length)} bytes, here without the middle of the padding:

${block(text(plaintext).replace(/,"padding".*$/u, ',"padding":"000…000"}'))}

The value is \`${text(Buffer.from(/"value":"(.*?)"/u.exec(text(plaintext))?.[1] ?? "", "base64"))}\`.
`.trim();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.stdout.write(`${appendix()}\n`);
}
