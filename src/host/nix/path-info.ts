import { Failure } from "../../failure.ts";
import { nixBase32 } from "../../service/nar.ts";

/** One path of a closure, as a store's database or a cache has it. */
export interface ValidPath {
  /** `/nix/store/HASH-NAME`. */
  readonly storePath: string;
  /** `sha256:`, in Nix's base 32. */
  readonly narHash: string;
  readonly narSize: number;
  /** Whole store paths, in their order; the path itself may be one of them. */
  readonly references: readonly string[];
  readonly deriver: string | undefined;
  /** `NAME:BASE64`. */
  readonly signatures: readonly string[];
  /** How the path is named by its content, as narinfos have it; undefined if it isn't. */
  readonly ca: string | undefined;
}

interface PathInfo {
  readonly path?: string;
  readonly narHash?: unknown;
  readonly narSize?: number;
  readonly references?: readonly string[];
  readonly deriver?: string | null;
  readonly signatures?: readonly unknown[];
  readonly ca?: unknown;
}

/**
 * What `nix path-info --json` says, whichever version of Nix says it: a list of paths; since 2.19 an object by path,
 * with hashes as SRI has them; since 2.33, with `--json-format 2` and `3`, such an object in a field `info`, with
 * paths that have no `/nix/store/`, and objects for what a path is named by and then for signatures
 * (Nix's manual, "Store object info JSON format").
 *
 * @throws Failure `store/failed` for a path without a hash and a size: one that isn't there
 */
export function parsePathInfo(value: unknown): ValidPath[] {
  const all = (value as { readonly info?: unknown }).info ?? value;
  const infos: readonly (readonly [string, PathInfo | null])[] = Array.isArray(all)
    ? (all as readonly PathInfo[]).map((info) => [info.path ?? "", info])
    : Object.entries(all as Readonly<Record<string, PathInfo | null>>);
  return infos.map(([path, info]) => {
    const storePath = wholePath(path);
    const narHash = base32Of(info?.narHash);
    if (info?.narSize === undefined || narHash === undefined)
      throw new Failure("store/failed", `nix path-info tells no hash of ${storePath}`);
    return {
      storePath,
      narHash,
      narSize: info.narSize,
      references: (info.references ?? []).map(wholePath).sort(),
      deriver: typeof info.deriver === "string" ? wholePath(info.deriver) : undefined,
      signatures: (info.signatures ?? []).flatMap((one) => signatureOf(one) ?? []),
      ca: contentAddressOf(info.ca),
    };
  });
}

function wholePath(path: string): string {
  return path.startsWith("/") ? path : `/nix/store/${path}`;
}

/** Undefined for what this doesn't know: others' signatures are no more than welcome. */
function signatureOf(signature: unknown): string | undefined {
  if (typeof signature === "string") return signature;
  const { keyName, sig } = (signature ?? {}) as {
    readonly keyName?: unknown;
    readonly sig?: unknown;
  };
  return typeof keyName === "string" && typeof sig === "string" ? `${keyName}:${sig}` : undefined;
}

/** How a narinfo begins what a path is named by, by the method of newer formats. */
const methods: ReadonlyMap<unknown, string> = new Map([
  ["nar", "fixed:r"],
  ["flat", "fixed"],
  ["text", "text"],
]);

/** Undefined also for what this doesn't know: then the path is one like others, which a signature vouches for. */
function contentAddressOf(ca: unknown): string | undefined {
  if (typeof ca === "string") return ca === "" ? undefined : ca;
  const { method, hash } = (ca ?? {}) as { readonly method?: unknown; readonly hash?: unknown };
  const [beginning, digits] = [methods.get(method), base32Of(hash)];
  return beginning === undefined || digits === undefined ? undefined : `${beginning}:${digits}`;
}

/** A SHA-256 in each of the ways in which Nix spells one. */
function base32Of(hash: unknown): string | undefined {
  if (typeof hash !== "string") {
    const { hash: inner } = (hash ?? {}) as { readonly hash?: unknown };
    return typeof inner === "string" ? base32Of(inner) : undefined;
  }
  const [, digits = ""] = /^(?:sha256[:-])?(.+)$/u.exec(hash) ?? [];
  if (/^[0-9a-z]{52}$/u.test(digits)) return `sha256:${digits}`;
  const bytes = Buffer.from(digits, /^[0-9a-f]{64}$/u.test(digits) ? "hex" : "base64");
  return bytes.length === 32 ? `sha256:${nixBase32(bytes)}` : undefined;
}
