import { bech32 } from "@scure/base";
import { Failure } from "../failure.ts";
import { randomBytes, textOf, utf8 } from "./bytes.ts";
import { recipientOfKey, type Recipient } from "./recipient.ts";
import { xwingSizes } from "./xwing-sizes.ts";
import { xwingPublicKey } from "./xwing.ts";

/** The secret half of a node's, pool's or operator's key pair: an X-Wing seed. */
export interface Identity {
  /** 32 secret bytes, owned by whoever made the identity, who wipes them. */
  readonly seed: Uint8Array;
  readonly recipient: Recipient;
}

const prefix = "AGE-SECRET-KEY-PQ-";

/** The identity of a 32-byte X-Wing seed. */
export function identityOfSeed(seed: Uint8Array): Identity {
  return { seed, recipient: recipientOfKey(xwingPublicKey(seed)) };
}

/** A new identity from the kernel's random number generator. */
export function createIdentity(): Identity {
  return identityOfSeed(randomBytes(xwingSizes.seed));
}

/** The one line `AGE-SECRET-KEY-PQ-1…` of an identity in ASCII, without a newline. Secret. */
export function encodeIdentity(identity: Identity): Uint8Array {
  return utf8(bech32.encode(prefix, bech32.toWords(identity.seed), false).toUpperCase());
}

/**
 * The identity that `line` spells: exactly `AGE-SECRET-KEY-PQ-1…` in upper case, without white
 * space around it.
 *
 * @throws Failure `identity/malformed`; `what` says which identity that was
 */
export function decodeIdentity(line: Uint8Array, what: string): Identity {
  const seed = decodeSeed(textOf(line) ?? "");
  if (seed === undefined) {
    throw new Failure("identity/malformed", `${what} is not one line AGE-SECRET-KEY-PQ-1…`);
  }
  return identityOfSeed(seed);
}

function decodeSeed(text: string): Uint8Array | undefined {
  try {
    const decoded = bech32.decode(text as `${string}1${string}`, false);
    const seed = bech32.fromWords(decoded.words);
    if (seed.length !== xwingSizes.seed) return undefined;
    const again = bech32.encode(prefix, bech32.toWords(seed), false).toUpperCase();
    return again === text ? seed : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The one identity in an identity file as `age-keygen -pq` writes it: lines beginning with `#`
 * and empty lines are comments.
 *
 * @throws Failure `identity/malformed` if there isn't exactly one
 */
export function parseIdentityFile(bytes: Uint8Array, what: string): Identity {
  const lines = (textOf(bytes) ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [line, second] = lines;
  if (line === undefined || second !== undefined) {
    const count = lines.filter((one) => one.startsWith("AGE-SECRET-KEY-")).length;
    throw new Failure(
      "identity/malformed",
      count < 2
        ? `${what} is not one identity`
        : `${what} holds ${String(count)} identities, not one`,
    );
  }
  return decodeIdentity(utf8(line), what);
}
