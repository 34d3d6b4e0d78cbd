import { Failure } from "../../failure.ts";
import { nixBase32 } from "../../service/nar.ts";
import { findProgram, run } from "../process.ts";

/** One path of a closure, as the store's database has it. */
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
  readonly ca: string | undefined;
}

/**
 * The closure of store paths, as the store's database has it. Nothing is fetched or built.
 *
 * @param root - of a store that is not this machine's: it lies at `root/nix/store`
 * @throws Failure `store/missing`, `store/failed`, `program/missing`
 */
export async function readClosure(
  storePaths: readonly string[],
  root: string | undefined,
): Promise<ValidPath[]> {
  const nix = await findProgram("nix");
  const { exitCode, stdout, stderr } = await run(nix, [
    ...["--extra-experimental-features", "nix-command", "path-info", "--json", "--recursive"],
    ...["--option", "substituters", "", ...(root === undefined ? [] : ["--store", root])],
    ...storePaths,
  ]);
  if (exitCode !== 0) {
    const invalid = /'(\/nix\/store\/[^']+)' is not valid|build these paths:\s+(\S+)/u.exec(stderr);
    if (invalid !== null) {
      const path = invalid[1] ?? invalid[2] ?? "";
      throw new Failure("store/missing", `${path} is not in the store`, `nix-store -r ${path}`);
    }
    const reason = stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
    throw new Failure("store/failed", `nix path-info doesn't tell the closure: ${reason}`);
  }
  return parsePathInfo(JSON.parse(new TextDecoder().decode(stdout)));
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
 * Nix lists paths, and since 2.19 gives an object by path; newer ones name paths without `/nix/store/`,
 * and give hashes, signatures and what a name is made of as objects.
 */
function parsePathInfo(value: unknown): ValidPath[] {
  const all = (value as { readonly info?: unknown }).info ?? value;
  const infos: readonly (readonly [string, PathInfo | null])[] = Array.isArray(all)
    ? (all as readonly PathInfo[]).map((info) => [info.path ?? "", info])
    : Object.entries(all as Readonly<Record<string, PathInfo | null>>);
  return infos.map(([path, info]) => {
    const storePath = whole(path);
    const narHash = base32Of(info?.narHash);
    if (info?.narSize === undefined || narHash === undefined)
      throw new Failure("store/failed", `nix path-info tells no hash of ${storePath}`);
    return {
      storePath,
      narHash,
      narSize: info.narSize,
      references: (info.references ?? []).map(whole).sort(),
      deriver: typeof info.deriver === "string" ? whole(info.deriver) : undefined,
      // What newer ones give as objects is left out: others' signatures are no more than welcome.
      signatures: (info.signatures ?? []).filter((one) => typeof one === "string"),
      ca: typeof info.ca === "string" && info.ca !== "" ? info.ca : undefined,
    };
  });
}

function whole(path: string): string {
  return path.startsWith("/") ? path : `/nix/store/${path}`;
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
