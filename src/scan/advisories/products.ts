import { type Upstream, upstreams } from "./upstreams.ts";

const byName = new Map(upstreams.flatMap((one) => one.names.map((name) => [name, one] as const)));

// Variants of one package, where nixpkgs writes them behind its name.
const variant =
  /-(?:minimal|interactive|full|small|headless|nox|slim|unwrapped|wrapped|static|lite|without-x|stage[0-9]-?(?:final|static)?)$/;

/** The upstream that nixpkgs calls `name`, if it was looked up. */
export function upstreamOf(name: string): Upstream | undefined {
  return byName.get(name.toLowerCase()) ?? byName.get(name.toLowerCase().replace(variant, ""));
}

/**
 * The one name of what nixpkgs calls `name`: variants of one upstream and its older names there
 * become the first (`bash-interactive` is bash, `nodejs-slim` nodejs). Others stay as they are.
 */
export function oneName(name: string): string {
  return upstreamOf(name)?.names[0] ?? name;
}
