import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../failure.ts";
import { readRegularFile } from "../host/files.ts";
import type { Cache } from "./cache.ts";
import type { Bucket } from "./s3.ts";

/** How a cache is reached besides its address. */
export interface CacheAccess {
  /** The directory that relative paths are taken from. */
  readonly directory: string;
  /** The file with users and passwords; `~/.netrc` if there is one. */
  readonly netrc: string | undefined;
  /** For how long a server may be silent. */
  readonly patienceMs: number;
  /** Whether nothing will be put there: then opening changes nothing either. */
  readonly isOnlyRead?: boolean;
}

const maxNetrcSize = 64 * 1024;

/**
 * The binary cache at an address; nothing is asked of it yet. Only what its kind needs is loaded.
 *
 * @throws Failure `cache/unknown`, `cache/forbidden`, `cache/full`, `cache/failed`
 */
export async function openCache(address: string, access: CacheAccess): Promise<Cache> {
  const url = URL.parse(address);
  const shown = address.replace(/\/\/[^/]*@/u, "//…@");
  if (url === null) throw new Failure("cache/unknown", `${JSON.stringify(shown)} is no address`);
  if (url.username !== "" || url.password !== "") {
    throw new Failure(
      "usage/value-in-argument",
      `${shown} has a user or a password in it`,
      "put 'machine HOST login USER password PASSWORD' into ~/.netrc, mode 0600",
    );
  }
  switch (url.protocol) {
    case "file:": {
      if (url.host !== "" || url.search !== "") break;
      const { directoryCache, openDirectoryCache } = await import("./directory.ts");
      const directory = fileURLToPath(url);
      return access.isOnlyRead === true
        ? directoryCache(address, directory)
        : openDirectoryCache(address, directory);
    }
    case "http:":
    case "https:": {
      if (url.search !== "" || url.hash !== "") break;
      const { openHttpCache } = await import("./http.ts");
      const { loginFor } = await import("./netrc.ts");
      const login = loginFor(await readNetrc(access), url.hostname);
      return openHttpCache(url, login, access.patienceMs);
    }
    case "s3:": {
      const bucket = parseBucket(url);
      if (bucket === undefined) break;
      const { openS3Cache } = await import("./s3.ts");
      return openS3Cache(address, bucket, access.patienceMs);
    }
  }
  throw new Failure("cache/unknown", `${JSON.stringify(address)} is no cache that can be filled`);
}

/** Undefined if the address says something that isn't known, or would be passed over. */
function parseBucket({ hostname, pathname, port, hash, searchParams }: URL): Bucket | undefined {
  const known = ["region", "endpoint", "profile", "scheme"];
  const said = [...searchParams.keys()];
  if (said.some((key) => !known.includes(key)) || new Set(said).size < said.length)
    return undefined;
  const { region, endpoint, profile, scheme = "https" } = Object.fromEntries(searchParams);
  if (hostname === "" || port !== "" || hash !== "" || !["", "/"].includes(pathname))
    return undefined;
  if (scheme !== "http" && scheme !== "https") return undefined;
  if (endpoint !== undefined && !/^[\w.-]+(?::[0-9]+)?$/u.test(endpoint)) return undefined;
  return { bucket: hostname, region, endpoint, scheme, profile };
}

async function readNetrc({ netrc, directory }: CacheAccess): Promise<string> {
  const path = netrc === undefined ? join(homedir(), ".netrc") : resolve(directory, netrc);
  const bytes = await readRegularFile(path, maxNetrcSize);
  if (bytes !== undefined) return new TextDecoder().decode(bytes);
  if (netrc === undefined) return "";
  throw new Failure("configuration/missing", `there is no ${path}`);
}
