import { type Configuration, type ConfigurationNode, type CpeMatch } from "./advisory.ts";
import { type CpeName, parseCpe } from "./cpe.ts";
import { type Read } from "./read.ts";
import { fields, list, oneLine, text, texts } from "./json.ts";
import { only, type Range } from "./ranges.ts";
import { severityOf, unknownSeverity, type Severity } from "./severity.ts";

/**
 * A record of NVD's CVE API 2.0, as feeds, API pages and mirrors have it, bare or as `{"cve": …}`
 * (https://nvd.nist.gov/developers/vulnerabilities).
 */
export function readNvd(record: unknown): Read {
  const cve = "cve" in fields(record) ? fields(fields(record)["cve"]) : fields(record);
  const id = text(cve["id"], 64);
  if (id === undefined || !/^CVE-[0-9]{4}-[0-9]{4,}$/.test(id))
    return { skipped: "a record of NVD without a CVE's id" };
  const modified = text(cve["lastModified"], 40) ?? "";
  if (cve["vulnStatus"] === "Rejected") return { id, withdrawn: true, modified };
  const english = list(cve["descriptions"])
    .map(fields)
    .find(({ lang }) => lang === "en");
  const summary = oneLine(english?.["value"]);
  const tags = list(cve["cveTags"]).flatMap((tag) => texts(fields(tag)["tags"]));
  return {
    id,
    advisory: {
      id,
      aliases: [],
      summary,
      severity: severityIn(fields(cve["metrics"])),
      disputed: tags.includes("disputed") || /^\** ?DISPUTED \**/.test(summary),
      claims: list(cve["configurations"]).map(configurationOf),
    },
    modified,
  };
}

/** NVD's own score before another's, and a newer CVSS before an older. */
function severityIn(metrics: Readonly<Record<string, unknown>>): Severity {
  const versions = ["cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2"];
  const all = versions.flatMap((version) => list(metrics[version]).map(fields));
  for (const type of ["Primary", "Secondary"])
    for (const metric of all) {
      const score = fields(metric["cvssData"])["baseScore"];
      if (metric["type"] === type && typeof score === "number") return severityOf(score);
    }
  return unknownSeverity;
}

function configurationOf(value: unknown): Configuration {
  const { operator, negate, nodes } = fields(value);
  return {
    kind: "cpe",
    isAll: operator === "AND",
    isNegated: negate === true,
    nodes: list(nodes).map(nodeOf),
  };
}

function nodeOf(value: unknown): ConfigurationNode {
  const { operator, negate, cpeMatch } = fields(value);
  return {
    isAll: operator === "AND",
    isNegated: negate === true,
    matches: list(cpeMatch).flatMap(matchOf),
  };
}

function matchOf(value: unknown): readonly CpeMatch[] {
  const match = fields(value);
  const name = parseCpe(text(match["criteria"]) ?? "");
  if (name === undefined) return [];
  const from =
    text(match["versionStartIncluding"], 128) ?? text(match["versionStartExcluding"], 128);
  const to = text(match["versionEndIncluding"], 128) ?? text(match["versionEndExcluding"], 128);
  return [
    {
      isVulnerable: match["vulnerable"] === true,
      product: name.cpe,
      range: rangeOf(name, {
        from,
        isFromIncluded: text(match["versionStartIncluding"], 128) !== undefined,
        to,
        isToIncluded: text(match["versionEndIncluding"], 128) !== undefined,
      }),
    },
  ];
}

/** The bounds, if there are any; else the version in the name itself. */
function rangeOf({ version, isBare }: CpeName, bounds: Range): Range | undefined {
  if (bounds.from !== undefined || bounds.to !== undefined || version === "*") return bounds;
  if (version === "-") return undefined;
  const exactly = only(version.slice(0, 128));
  return isBare ? { ...exactly, isBare: true } : exactly;
}
