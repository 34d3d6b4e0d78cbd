import { Failure } from "../failure.ts";
import type { Revision, Source } from "./source.ts";

/**
 * The source that `url` names. What a kind of source needs is loaded only for that kind.
 *
 * @param url - `dir:PATH`, or `etcd:FILE` with the file that says how it is reached; a relative path is
 *   taken from `base`
 * @throws Failure `source/unknown`; `configuration/missing`, `configuration/invalid` of such a file
 */
export async function openSource(url: string, base: string): Promise<Source> {
  if (url.startsWith("dir:")) {
    const { openDirectory } = await import("./directory.ts");
    return openDirectory(url.slice("dir:".length), base);
  }
  if (url.startsWith("etcd:")) {
    const { openEtcd } = await import("./etcd-source.ts");
    return openEtcd(url.slice("etcd:".length), base);
  }
  throw new Failure(
    "source/unknown",
    `source ${JSON.stringify(url.slice(0, 80))} is neither dir:PATH nor etcd:FILE`,
  );
}

/**
 * The source that `url` names, as it stood at a revision of git.
 *
 * @throws Failure `source/unknown` if it is none that git could hold; `git/failed`
 */
export async function openSourceAt(
  url: string,
  base: string,
  revision: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Revision> {
  if (url.startsWith("dir:")) {
    const { openRevision } = await import("./revision.ts");
    return openRevision(url.slice("dir:".length), base, revision, environment);
  }
  throw new Failure(
    "source/unknown",
    `source ${JSON.stringify(url.slice(0, 80))} has no revisions of git`,
    "run it in a checkout whose source is dir:PATH",
  );
}
