import { createHash } from "node:crypto";
import { identityOfSeed, type Identity } from "../../../src/crypto/identity.ts";
import { recipientId, type Recipient } from "../../../src/crypto/recipient.ts";
import { sealHeader } from "../../../src/formats/age/profile.ts";
import { sealEntry } from "../../../src/formats/entry.ts";
import { signatureFile } from "../../../src/formats/paths.ts";
import { sealPayload, type Binding } from "../../../src/formats/payload.ts";
import type { Members, Pool } from "../../../src/formats/records/pool.ts";
import type { Roster } from "../../../src/formats/records/roster.ts";
import type { Statement } from "../../../src/formats/records/statement.ts";
import type { SignerKey } from "../../../src/formats/sshsig/public-key.ts";
import type { SignedType } from "../../../src/formats/sshsig/signature.ts";
import type { TestSigner } from "../../fixtures/signer.ts";

/** What a source shows: bytes by path. In the order in which they were made, so that a seed repeats. */
export type View = Map<string, Uint8Array>;

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A value as it was sealed. Its text says for what, so that one in the wrong place is seen. */
export interface SealedValue extends Binding {
  readonly value: string;
  readonly fileKey: Uint8Array;
  /** By pool, the epoch that its signer sealed it for. */
  readonly epochs: Readonly<Record<string, number>>;
}

/**
 * What everybody in a history made, honest or not, by the hash of its bytes: the model looks up what
 * bytes are, and reads none.
 */
export class Ledger {
  readonly rosters = new Map<string, Roster>();
  readonly pools = new Map<string, Pool>();
  readonly members = new Map<string, Members>();
  readonly statements = new Map<string, Statement>();
  readonly signatures = new Map<string, { readonly by: SignerKey; readonly over: string }>();
  readonly payloads = new Map<string, SealedValue>();
  readonly headers = new Map<string, { readonly fileKey: string; readonly to: Recipient }>();
  readonly entries = new Map<string, { readonly to: Recipient; readonly holds: Recipient }>();
  /** Every identity by the id of its recipient. */
  readonly identities = new Map<string, Identity>();
  readonly #chance: () => number;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  identity(): Identity {
    const seed = Uint8Array.from({ length: 32 }, () => Math.floor(this.#chance() * 256));
    const identity = identityOfSeed(seed);
    this.identities.set(recipientId(identity.recipient), identity);
    return { ...identity, seed: seed.slice() };
  }

  entry(pool: Identity, to: Recipient): Uint8Array {
    const bytes = sealEntry(pool, to);
    this.entries.set(hashOf(bytes), { to, holds: pool.recipient });
    return bytes;
  }

  header(fileKey: Uint8Array, to: Recipient): Uint8Array {
    const bytes = sealHeader(fileKey, to);
    this.headers.set(hashOf(bytes), { fileKey: hashOf(fileKey), to });
    return bytes;
  }

  payload(
    binding: Binding,
    value: string,
    epochs: Readonly<Record<string, number>>,
  ): ReturnType<typeof sealPayload> {
    const made = sealPayload(binding, new TextEncoder().encode(value));
    this.payloads.set(made.hash, { ...binding, value, epochs, fileKey: made.fileKey });
    return made;
  }

  /** The files of signatures over `bytes`, by their names in the folder of what is signed. */
  sign(type: SignedType, bytes: Uint8Array, by: readonly TestSigner[]): [string, Uint8Array][] {
    return by.map((one) => {
      const armoured = one.sign(type, bytes);
      this.signatures.set(hashOf(armoured), { by: one.key, over: hashOf(bytes) });
      return [signatureFile(one.key), armoured];
    });
  }
}
