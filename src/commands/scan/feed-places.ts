import { Failure } from "../../failure.ts";
import { ownPlaces, type FeedPlaces } from "../../scan/advisories/feeds.ts";

/** Addresses of others' copies of what databases of advisories publish. */
export interface FeedFlags {
  readonly nvd: string | undefined;
  readonly osv: string | undefined;
}

/** Where it is fetched from. @throws Failure `usage/invalid`, `usage/value-in-argument` */
export function chooseFeedPlaces({ nvd, osv }: FeedFlags): FeedPlaces {
  return { nvd: parsePlace(nvd ?? ownPlaces.nvd), osv: parsePlace(osv ?? ownPlaces.osv) };
}

function parsePlace(address: string): string {
  const url = URL.parse(address);
  const shown = address.replace(/\/\/[^/]*@/u, "//…@");
  if (url !== null && (url.username !== "" || url.password !== "")) {
    throw new Failure(
      "usage/value-in-argument",
      `${shown} has a user or a password in it`,
      "give an address without",
    );
  }
  const isFine =
    ["http:", "https:"].includes(url?.protocol ?? "") && url?.search === "" && url.hash === "";
  if (url !== null && isFine) return url.href.replace(/\/+$/u, "");
  throw new Failure(
    "usage/invalid",
    `${JSON.stringify(shown)} is no address that advisories can be fetched from`,
    "sealaunch scan --update --nvd https://HOST/PATH --osv https://HOST/PATH",
  );
}
