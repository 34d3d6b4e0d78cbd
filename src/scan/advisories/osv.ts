import { type Advisory, type Packages } from "./advisory.ts";
import { parseCpe } from "./cpe.ts";
import { fields, list, oneLine, text, texts } from "./json.ts";
import { type Read } from "./read.ts";
import { rangesOfEvents } from "./osv-events.ts";
import { only, type Range } from "./ranges.ts";
import { severityOfVector, severityOfWord, unknownSeverity, type Severity } from "./severity.ts";

// OSV's ecosystems whose versions are upstream's, as the types of package URLs. Those of
// distributions are not here: what they call 3.0.11-1~deb12u2 is another tree than upstream's.
const ecosystems = new Map([
  ["Bitnami", "generic"],
  ["OSS-Fuzz", "generic"],
  ["PyPI", "pypi"],
  ["npm", "npm"],
  ["crates.io", "cargo"],
  ["Go", "golang"],
  ["RubyGems", "gem"],
  ["Hackage", "hackage"],
  ["CRAN", "cran"],
  ["Maven", "maven"],
  ["Hex", "hex"],
  ["Packagist", "composer"],
  ["NuGet", "nuget"],
  ["Pub", "pub"],
]);

/** The names of these ecosystems, as OSV has them. */
export const upstreamEcosystems: readonly string[] = [...ecosystems.keys()];

/** A record of OSV (https://ossf.github.io/osv-schema/). */
export function readOsv(value: unknown): Read {
  const record = fields(value);
  const own = text(record["id"], 128);
  if (own === undefined) return { skipped: "a record of OSV without an id" };
  const modified = text(record["modified"], 40) ?? "";
  const others = [...texts(record["aliases"]), ...texts(record["upstream"])];
  const id = [own, ...others].find((one) => /^CVE-[0-9]{4}-[0-9]{4,}$/.test(one)) ?? own;
  if (record["withdrawn"] !== undefined) return { id: own, withdrawn: true, modified };
  const affected = list(record["affected"]).map(fields);
  const claims = affected.flatMap((one) => packagesOf(one, record));
  if (claims.length === 0) return { skipped: whyNone(affected), isSound: true };
  const advisory: Advisory = {
    id,
    aliases: [...new Set([own, ...others])].filter((one) => one !== id),
    summary: oneLine(record["summary"] ?? record["details"]),
    severity: severityIn(record, affected),
    disputed: /^\** ?DISPUTED \**/.test(oneLine(record["details"])),
    claims,
  };
  return { id: own, advisory, modified };
}

type Fields = Readonly<Record<string, unknown>>;

function whyNone(affected: readonly Fields[]): string {
  const named = affected.map((one) => text(fields(one["package"])["ecosystem"]) ?? "");
  const foreign = named.find((ecosystem) => ecosystem !== "" && !ecosystems.has(plain(ecosystem)));
  if (foreign !== undefined) return `a record of OSV in ${plain(foreign)}'s own versions`;
  return "a record of OSV that names no package, or no versions";
}

/** `Debian:12` is Debian. */
function plain(ecosystem: string): string {
  return ecosystem.split(":", 1)[0]?.slice(0, 40) ?? "";
}

function packagesOf(affected: Fields, record: Fields): readonly Packages[] {
  const named = fields(affected["package"]);
  const name = text(named["name"], 256);
  const ecosystem = ecosystems.get(plain(text(named["ecosystem"]) ?? ""));
  if (name === undefined || ecosystem === undefined) return [];
  const ranges: Range[] = list(affected["ranges"])
    .map(fields)
    .filter(({ type }) => type === "SEMVER" || type === "ECOSYSTEM")
    .flatMap(({ events }) => rangesOfEvents(list(events).map(fields)));
  // Tags of git, in each project's own form.
  const versions = texts(affected["versions"]).map((tag) => only(untagged(tag, name)));
  if (ranges.length + versions.length === 0) return [];
  const cpes = texts(fields(record["database_specific"])["cpes"]);
  const products = cpes.flatMap((one) => parseCpe(one)?.cpe ?? []);
  return [{ kind: "package", ecosystem, name, products, ranges: [...ranges, ...versions] }];
}

/** `curl-7_57_0`, `OpenSSL_1_1_1`, `FILE5_29` and `v1.4.0` as versions; others as they are. */
function untagged(tag: string, name: string): string {
  const lower = tag.toLowerCase().slice(0, 128);
  const rest = lower.startsWith(name.toLowerCase()) ? lower.slice(name.length) : lower;
  const bare = rest.replace(/^[-_]?v?(?=[0-9])/, "").replace(/^release-/, "");
  return /^[0-9]/.test(bare) ? bare.replaceAll("_", ".") : lower;
}

function severityIn(record: Fields, affected: readonly Fields[]): Severity {
  const all = [...list(record["severity"]), ...affected.flatMap((one) => list(one["severity"]))];
  // The newest CVSS: the types are CVSS_V2, CVSS_V3, CVSS_V4.
  const vectors = all
    .map(fields)
    .sort((a, b) => (text(b["type"]) ?? "").localeCompare(text(a["type"]) ?? ""))
    .map(({ score }) => severityOfVector(text(score, 300) ?? ""));
  const specific = [
    record["database_specific"],
    ...affected.map((one) => one["ecosystem_specific"]),
  ];
  const word = specific
    .map((one) => text(fields(one)["severity"], 40))
    .find((one) => one !== undefined);
  return (
    vectors.find(({ score }) => score !== undefined) ??
    (word === undefined ? unknownSeverity : severityOfWord(word))
  );
}
