import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { textOf, utf8 } from "../../src/crypto/bytes.ts";
import { encodeCard } from "../../src/formats/records/card.ts";
import { encodePool } from "../../src/formats/records/pool.ts";
import { encodeRoster } from "../../src/formats/records/roster.ts";
import { fingerprint, isSignerKey, parseSignerKey } from "../../src/formats/sshsig/public-key.ts";
import {
  namespaces,
  parseSignature,
  verifySignature,
  type SignedType,
} from "../../src/formats/sshsig/signature.ts";
import { outcomeOf } from "./failure-code.ts";
import {
  createFolder,
  createKey,
  keygenVerifies,
  publicKey,
  publicLine,
  removeFolder,
  runProgram,
  signWithKeygen,
} from "./openssh.ts";
import { sampleCard, samplePool, sampleRoster, sealSample, testSigner } from "./samples.ts";
import { armouredSignature, type TestSigner } from "./sshsig-maker.ts";

const folder = createFolder();
const signed: readonly (readonly [SignedType, Uint8Array])[] = [
  ["bundle", sealSample().statementBytes],
  ["roster", encodeRoster(sampleRoster)],
  ["pool", encodePool(samplePool)],
  ["card", encodeCard(sampleCard)],
];
const statement = signed[0]?.[1] ?? new Uint8Array();
let plain: string;

beforeAll(() => {
  plain = createKey(folder, "ed25519");
});

afterAll(() => {
  removeFolder(folder);
});

describe("signatures that ssh-keygen makes", () => {
  for (const [type, message] of signed) {
    for (const hash of ["sha256", "sha512"]) {
      it(`are accepted over a ${type}, by ${hash}`, () => {
        const armoured = signWithKeygen(plain, namespaces[type], message, { hash });
        const signature = parseSignature(armoured);
        expect(signature.hashAlgorithm).toBe(hash);
        expect(verifySignature(signature, message, type)).toBe(publicKey(plain));
        expect(keygenVerifies(folder, publicLine(plain), namespaces[type], message, armoured)).toBe(
          true,
        );
      });
    }
  }

  it("are accepted when an agent makes them", async () => {
    const socket = join(folder, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      // It prints where it listens once it does.
      await once(agent.stdout, "data");
      const environment = { SSH_AUTH_SOCK: socket };
      const key = createKey(folder, "ed25519", "held-by-the-agent");
      expect(runProgram("ssh-add", ["-q", key], { environment }).status).toBe(0);
      runProgram("mv", [key, `${key}.hidden`]);
      const armoured = signWithKeygen(`${key}.pub`, namespaces.bundle, statement, { environment });
      expect(verifySignature(parseSignature(armoured), statement, "bundle")).toBe(publicKey(key));
    } finally {
      agent.kill();
      await once(agent, "exit");
    }
  });

  it("are refused for another namespace and another message", () => {
    const signature = parseSignature(signWithKeygen(plain, namespaces.roster, statement));
    expect(outcomeOf(() => verifySignature(signature, statement, "bundle"))).toBe(
      "signature/invalid",
    );
    expect(outcomeOf(() => verifySignature(signature, utf8("other"), "roster"))).toBe(
      "signature/invalid",
    );
  });
});

describe("keys of other types", () => {
  it.each([
    ["rsa", "ssh-rsa"],
    ["ecdsa", "ecdsa-sha2-nistp256"],
    ["dsa", "ssh-dss"],
  ])("are refused by name: %s", (type, name) => {
    const path = join(folder, type);
    const made = runProgram("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", path]);
    // OpenSSH 10 makes no DSA keys any more; then there is nothing to refuse.
    if (made.status !== 0 && type === "dsa") return;
    const named = expect.objectContaining({
      code: "ssh-key/unsupported",
      message: expect.stringContaining(name) as string,
    }) as Error;
    expect(() => parseSignerKey(publicLine(path), "the key")).toThrow(named);
    const armoured = signWithKeygen(path, namespaces.bundle, statement);
    expect(keygenVerifies(folder, publicLine(path), namespaces.bundle, statement, armoured)).toBe(
      true,
    );
    expect(() => parseSignature(armoured)).toThrow(named);
  });

  it("are refused by name: a certificate", () => {
    const key = createKey(folder, "ed25519", "certified");
    runProgram("ssh-keygen", ["-q", "-s", plain, "-I", "me", "-n", "me", `${key}.pub`]);
    expect(() => parseSignerKey(publicLine(`${key}-cert`), "the key")).toThrow(
      expect.objectContaining({
        code: "ssh-key/unsupported",
        message: expect.stringContaining("ssh-ed25519-cert-v01@openssh.com") as string,
      }),
    );
  });
});

describe("what ssh-keygen accepts of ours", () => {
  const signers: readonly (readonly [string, TestSigner])[] = [
    ["a plain key", testSigner("alice")],
    ["a security key", testSigner("security key", "ssh:")],
    ["a security key of another application", testSigner("security key", "ssh:sealaunch")],
  ];

  for (const [name, signer] of signers) {
    for (const hash of ["sha256", "sha512"]) {
      it.each(signed)(
        `is a %s signed by ${name}, by ${hash}; and we accept it`,
        (type, message) => {
          const armoured = armouredSignature(signer, message, namespaces[type], { hash });
          expect(keygenVerifies(folder, signer.signer, namespaces[type], message, armoured)).toBe(
            true,
          );
          expect(verifySignature(parseSignature(armoured), message, type)).toBe(signer.signer);
        },
      );
    }
  }

  it("is a fingerprint as it prints it", () => {
    const printed = runProgram("ssh-keygen", ["-lf", `${plain}.pub`]);
    expect(textOf(printed.stdout)?.split(" ")[1]).toBe(fingerprint(publicKey(plain)));
  });

  it("is a security key's signature with the verified flag, which we accept too", () => {
    const signer = testSigner("security key", "ssh:");
    const armoured = armouredSignature(signer, statement, namespaces.bundle, { flags: 5 });
    expect(keygenVerifies(folder, signer.signer, namespaces.bundle, statement, armoured)).toBe(
      true,
    );
    expect(verifySignature(parseSignature(armoured), statement, "bundle")).toBe(signer.signer);
  });
});

/** Every change of an armour that leaves its meaning: what, and the new text. */
const leniencies: readonly (readonly [string, (armour: string) => string])[] = [
  ["CRLF after the first line", (armour) => armour.replace(/(?<!URE-----)\n/gu, "\r\n")],
  ["longer lines", (armour) => rewrap(armour, 76)],
  ["shorter lines", (armour) => rewrap(armour, 64)],
  ["one line", (armour) => rewrap(armour, 10_000)],
  ["a blank at a line's end", (armour) => armour.replace(/(?<=\n.{70})\n/u, " \n")],
  ["a blank at a line's beginning", (armour) => armour.replace(/\n(?=U1NI)/u, "\n ")],
  ["a tab inside a line", (armour) => armour.replace("U1NI", "U1\tNI")],
  ["an empty line", (armour) => armour.replace(/\n(?=U1NI)/u, "\n\n")],
  ["an empty line before the end", (armour) => armour.replace("\n-----END", "\n\n-----END")],
  ["no final newline", (armour) => armour.slice(0, -1)],
  ["text after the end", (armour) => `${armour}anything\n`],
  ["an empty line after the end", (armour) => `${armour}\n`],
  ["a second signature after the first", (armour) => armour + armour],
];

function rewrap(armour: string, columns: number): string {
  const [begin = "", ...rest] = armour.trimEnd().split("\n");
  const end = rest.pop() ?? "";
  const lines = rest.join("").match(new RegExp(`.{1,${String(columns)}}`, "gu")) ?? [];
  return `${[begin, ...lines, end].join("\n")}\n`;
}

describe("the armour of a signature", () => {
  it.each(leniencies)("with %s is accepted by ssh-keygen, and refused by us", (_, change) => {
    const armoured = signWithKeygen(plain, namespaces.bundle, statement);
    const changed = utf8(change(textOf(armoured) ?? ""));
    expect(changed).not.toEqual(armoured);
    expect(keygenVerifies(folder, publicLine(plain), namespaces.bundle, statement, changed)).toBe(
      true,
    );
    expect(outcomeOf(() => parseSignature(changed))).toBe("signature/malformed");
  });

  it.each([
    ["text before it", (armour: string) => `text\n${armour}`],
    ["CRLF everywhere", (armour: string) => armour.replaceAll("\n", "\r\n")],
  ])("is refused by both with %s", (_, change) => {
    const armoured = signWithKeygen(plain, namespaces.bundle, statement);
    const changed = utf8(change(textOf(armoured) ?? ""));
    expect(keygenVerifies(folder, publicLine(plain), namespaces.bundle, statement, changed)).toBe(
      false,
    );
    expect(outcomeOf(() => parseSignature(changed))).toBe("signature/malformed");
  });
});

describe("the line of a public key", () => {
  it("may have a comment and blanks in a .pub file, and none in a record", () => {
    const line = publicLine(plain);
    const key = parseSignerKey(`  ${line}\n`, "it");
    expect(line.startsWith(`${key} `)).toBe(true);
    expect(isSignerKey(key)).toBe(true);
    expect(isSignerKey(line)).toBe(false);
    expect(isSignerKey(`${key} `)).toBe(false);
    expect(isSignerKey(key.replace(" ", "  "))).toBe(false);
  });
});
