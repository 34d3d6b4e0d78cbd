import { createRequire } from "node:module";
import { inflateSync } from "node:zlib";

/** What decrypting a file of the corpus must end in (C2SP/CCTV, age/README.md, "expect"). */
export type Expectation =
  "success" | "no match" | "HMAC failure" | "header failure" | "payload failure" | "armor failure";

/** One file of the CCTV age corpus. */
export interface CorpusVector {
  readonly name: string;
  readonly expect: Expectation;
  /** SHA-256 in hex of all plaintext that may be released. */
  readonly payload: string | undefined;
  readonly identities: readonly string[];
  readonly passphrase: boolean;
  readonly armoured: boolean;
  readonly file: Uint8Array;
}

const require = createRequire(import.meta.url);

/** All vectors of the npm package `cctv-age`. */
export const corpus: readonly CorpusVector[] = Object.entries(
  require("cctv-age") as Record<string, Uint8Array>,
).map(([name, bytes]) => parseVector(name, Buffer.from(bytes)));

function parseVector(name: string, bytes: Buffer): CorpusVector {
  const headerSize = bytes.indexOf("\n\n");
  const fields = bytes
    .subarray(0, headerSize)
    .toString()
    .split("\n")
    .map((line) => line.split(": ", 2) as [string, string]);
  const all = (wanted: string): string[] =>
    fields.filter(([field]) => field === wanted).map(([, value]) => value);
  const body = bytes.subarray(headerSize + 2);
  return {
    name,
    expect: all("expect")[0] as Expectation,
    payload: all("payload")[0],
    identities: all("identity"),
    passphrase: all("passphrase").length > 0,
    armoured: all("armored")[0] === "yes",
    file: new Uint8Array(all("compressed")[0] === "zlib" ? inflateSync(body) : body),
  };
}
