import { createHmac, randomBytes } from "node:crypto";
import { manifestName } from "../service/delivery.ts";

/** The same for the same credentials, names and bytes, within one process; it says nothing of them to anybody else. */
export type Digest = (answers: ReadonlyMap<string, Uint8Array>) => string;

/** A digest under a key that nobody has but this process, and nothing keeps. */
export function createDigest(): Digest {
  const key = randomBytes(32);
  return (answers) => {
    const hash = createHmac("sha256", key);
    // The manifest follows from the others, and from the commands.
    const names = [...answers.keys()].filter((name) => name !== manifestName).sort();
    for (const name of names) {
      const value = answers.get(name) ?? new Uint8Array();
      hash.update(`${name}\n${String(value.length)}\n`).update(value);
    }
    return hash.digest("hex");
  };
}
