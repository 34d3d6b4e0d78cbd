import { canonicalIpv6, mark } from "./records.ts";

/** What a zone has of a name. */
export interface Present {
  /** Whether this service made it. */
  readonly isOurs: boolean;
  /** Its A, AAAA and TXT records, as `TYPE DATA`, in order. */
  readonly records: readonly string[];
}

/** What has to be done to a zone. */
export interface Plan {
  /** By name, the lines that nsupdate (nsupdate(1)) brings it into step with. */
  readonly updates: ReadonlyMap<string, readonly string[]>;
  /** Names that somebody else has made: they are left alone. */
  readonly foreign: readonly string[];
}

const ttl = 60;

/**
 * What a transfer of a zone says of each name below it.
 *
 * @param transfer - as `dig` prints it
 * @throws Error if it isn't whole: it begins and ends with the SOA record (RFC 5936, section 2.2)
 */
export function parseTransfer(transfer: string, zone: string): ReadonlyMap<string, Present> {
  const records = transfer.split("\n").flatMap((line) => {
    const [owner = "", , of = "", type = "", ...data] = line.split(/\s+/u);
    // The last line is the signature over all of it.
    if (of !== "IN") return [];
    return [{ owner: owner.toLowerCase(), type, data: dataOf(line, type, data) }];
  });
  const ends = [records[0], records.at(-1)];
  if (records.length < 2 || !ends.every((record) => record?.type === "SOA"))
    throw new Error(
      `zone ${zone} was not transferred whole: ${transfer.trim().split("\n").at(-1) ?? ""}`,
    );
  const names = new Map<string, { isOurs: boolean; records: string[] }>();
  const nameOf = (owner: string): { isOurs: boolean; records: string[] } => {
    const found = names.get(owner) ?? { isOurs: false, records: [] };
    names.set(owner, found);
    return found;
  };
  for (const { owner, type, data } of records) {
    if (!owner.endsWith(`.${zone}.`)) continue;
    const name = owner.slice(0, -zone.length - 2);
    if (name.startsWith(`${mark}.`)) nameOf(name.slice(mark.length + 1)).isOurs = true;
    else if (["A", "AAAA", "TXT"].includes(type)) nameOf(name).records.push(`${type} ${data}`);
    else nameOf(name);
  }
  for (const { records: own } of names.values()) own.sort();
  return names;
}

function dataOf(line: string, type: string, data: readonly string[]): string {
  if (type === "AAAA") return canonicalIpv6(data[0] ?? "");
  // Blanks inside quotes are its own.
  return type === "TXT" ? (/\sTXT\s+(.*)$/u.exec(line)?.[1] ?? "") : data.join(" ");
}

/**
 * What brings a zone into step: names that are wanted get exactly their records, and names that this service
 * has made and nobody wants any more go. Each holds only while the name is whose it was when it was looked at.
 *
 * @param kept - names of which it isn't known what is wanted; they stay as they are
 */
export function planOf(
  zone: string,
  wanted: ReadonlyMap<string, readonly string[]>,
  kept: ReadonlySet<string>,
  present: ReadonlyMap<string, Present>,
): Plan {
  const updates = new Map<string, readonly string[]>();
  const foreign: string[] = [];
  for (const [name, records] of wanted) {
    const has = present.get(name);
    if (has === undefined)
      updates.set(name, [`prereq nxdomain ${name}.${zone}.`, ...add(zone, name, records)]);
    else if (!has.isOurs) foreign.push(name);
    else if (has.records.join("\n") !== records.join("\n"))
      updates.set(name, [...remove(zone, name), ...add(zone, name, records)]);
  }
  for (const [name, { isOurs }] of present) {
    if (isOurs && !wanted.has(name) && !kept.has(name)) updates.set(name, remove(zone, name));
  }
  return { updates, foreign };
}

const add = (zone: string, name: string, records: readonly string[]): string[] => [
  ...records.map((record) => `update add ${name}.${zone}. ${String(ttl)} ${record}`),
  `update add ${mark}.${name}.${zone}. ${String(ttl)} TXT "made by dns-records"`,
];

const remove = (zone: string, name: string): string[] => [
  `prereq yxrrset ${mark}.${name}.${zone}. TXT`,
  ...["A", "AAAA", "TXT"].map((type) => `update delete ${name}.${zone}. ${type}`),
  `update delete ${mark}.${name}.${zone}. TXT`,
];
