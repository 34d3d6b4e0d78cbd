import { textOf, utf8 } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { signWith, type CacheKey } from "./cache-key.ts";

/** What a binary cache says of one store path: its narinfo (Nix's manual, "Binary Cache Store"). */
export interface NarInfo {
  /** `/nix/store/HASH-NAME`. */
  readonly storePath: string;
  /** Of the packed archive, relative to the cache. */
  readonly url: string;
  readonly compression: string;
  /** Of the packed archive: `sha256:`, in Nix's base 32. */
  readonly fileHash: string | undefined;
  readonly fileSize: number | undefined;
  /** Of the archive: `sha256:`, in Nix's base 32. */
  readonly narHash: string;
  readonly narSize: number;
  /** `HASH-NAME`, in their order. */
  readonly references: readonly string[];
  /** `HASH-NAME.drv`. */
  readonly deriver: string | undefined;
  /** `NAME:BASE64`. */
  readonly signatures: readonly string[];
  /** How the path is named by its content, if it is. */
  readonly ca: string | undefined;
}

/** The bytes of a narinfo, line by line in Nix's own order. */
export function encodeNarInfo(info: NarInfo): Uint8Array {
  const lines: readonly (readonly [string, string | number | undefined])[] = [
    ["StorePath", info.storePath],
    ["URL", info.url],
    ["Compression", info.compression],
    ["FileHash", info.fileHash],
    ["FileSize", info.fileSize],
    ["NarHash", info.narHash],
    ["NarSize", info.narSize],
    ["References", info.references.join(" ")],
    ["Deriver", info.deriver],
    ...info.signatures.map((signature) => ["Sig", signature] as const),
    ["CA", info.ca],
  ];
  return utf8(
    lines
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${String(value)}\n`)
      .join(""),
  );
}

/**
 * The narinfo that a cache has. Lines that nothing is known of are ignored, as Nix does.
 *
 * @param what - names it in the message
 * @throws Failure `cache/invalid`
 */
export function decodeNarInfo(bytes: Uint8Array, what: string): NarInfo {
  const lines = (textOf(bytes) ?? "").split("\n").map((line) => /^(\w+): ?(.*)$/u.exec(line));
  const all = (name: string): string[] =>
    lines.flatMap((line) => (line?.[1] === name && line[2] !== undefined ? [line[2]] : []));
  const one = (name: string): string => {
    const [value, ...more] = all(name);
    if (value !== undefined && value !== "" && more.length === 0) return value;
    throw new Failure("cache/invalid", `${what} is no narinfo: it has no single ${name}`);
  };
  const size = (name: string): number => {
    const text = one(name);
    if (/^[0-9]{1,15}$/u.test(text)) return Number(text);
    throw new Failure("cache/invalid", `${what} is no narinfo: ${name} is no number`);
  };
  return {
    storePath: one("StorePath"),
    url: one("URL"),
    // Without it, Nix reads the first compression that there was.
    compression: all("Compression")[0] ?? "bzip2",
    fileHash: all("FileHash")[0],
    fileSize: all("FileSize").length === 0 ? undefined : size("FileSize"),
    narHash: one("NarHash"),
    narSize: size("NarSize"),
    references: (all("References")[0] ?? "").split(" ").filter((name) => name !== ""),
    deriver: all("Deriver").find((name) => name !== "unknown-deriver"),
    signatures: all("Sig"),
    ca: all("CA")[0],
  };
}

/** What a narinfo's signatures are over: nothing of how the archive is packed. */
export function narInfoFingerprint({
  storePath,
  narHash,
  narSize,
  references,
}: NarInfo): Uint8Array {
  const names = references.map((name) => `/nix/store/${name}`);
  return utf8(`1;${storePath};${narHash};${String(narSize)};${names.join(",")}`);
}

/** The narinfo, with a signature of each of the keys; those of others stay. */
export function signNarInfo(info: NarInfo, keys: readonly CacheKey[]): NarInfo {
  const fingerprint = narInfoFingerprint(info);
  const ours = keys.map((key) => signWith(key, fingerprint));
  const others = info.signatures.filter((signature) => !ours.includes(signature));
  return { ...info, signatures: [...others, ...ours] };
}
