import { upstreamEcosystems } from "./osv.ts";

/** A file that a database of advisories is published as. */
export interface Feed {
  /** Of the file here. */
  readonly name: string;
  readonly url: string;
  /** Whether the database may not have begun it. */
  readonly mayBeAbsent: boolean;
}

/** Where the databases publish them, or somebody's copies: addresses without a slash at the end. */
export interface FeedPlaces {
  readonly nvd: string;
  readonly osv: string;
}

/** NVD's own and OSV's own (nvd.nist.gov/vuln/data-feeds, google.github.io/osv.dev/data). */
export const ownPlaces: FeedPlaces = {
  nvd: "https://nvd.nist.gov/feeds/json/cve/2.0",
  osv: "https://osv-vulnerabilities.storage.googleapis.com",
};

/** NVD's feed of that year has all of before, too. */
const firstYear = 2002;

/** All that judging needs: NVD's feeds of each year up to `year` and of the last days, OSV's of what counts as upstream does. */
export function feedsOf({ nvd, osv }: FeedPlaces, year: number): readonly Feed[] {
  const years = Array.from({ length: year - firstYear + 1 }, (_, at) => String(firstYear + at));
  return [
    ...[...years, "modified"].map((part) => {
      const name = `nvdcve-2.0-${part}.json.gz`;
      return { name, url: `${nvd}/${name}`, mayBeAbsent: part === String(year) };
    }),
    ...upstreamEcosystems.map((ecosystem) => ({
      name: `osv-${ecosystem}.zip`,
      url: `${osv}/${ecosystem}/all.zip`,
      mayBeAbsent: false,
    })),
  ];
}
