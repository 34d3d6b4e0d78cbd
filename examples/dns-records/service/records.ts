import { isIPv4, isIPv6 } from "node:net";

const maxNameLength = 253;
const maxTextLength = 255;
const label = /^_?[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?$/u;

/** The label of the TXT record that says beside a name whose it is. */
export const mark = "_dns-records";

/**
 * A name below a zone, as it stands in a key of etcd.
 *
 * @throws Error if it is no host name (RFC 1123, section 2.1), with `_` before a label where services have it
 */
export function parseName(name: string, zone: string): string {
  const labels = name.split(".");
  if (`${mark}.${name}.${zone}`.length > maxNameLength || !labels.every((one) => label.test(one)))
    throw new Error(`${JSON.stringify(name)} is no name below a zone, such as www or api.eu`);
  if (labels.includes(mark))
    throw new Error(`${name} is one of the names that say whose others are`);
  return name;
}

/**
 * What a value of etcd says of a name, one record a line, such as `A 192.0.2.7`; each once, in order, and
 * as a server would print it.
 *
 * @throws Error on a line that is no A, AAAA or TXT record: nothing of it gets to nsupdate
 */
export function parseRecords(value: string): string[] {
  const lines = value.split("\n").filter((line) => line.trim() !== "");
  return [...new Set(lines.map(parseRecord))].sort();
}

function parseRecord(line: string): string {
  const [, type = "", data = ""] = /^(A|AAAA|TXT) (.+)$/u.exec(line.trim()) ?? [];
  if (type === "A" && isIPv4(data)) return `A ${data}`;
  // Not one with a scope, as in fe80::1%eth0, which means something on one machine only.
  if (type === "AAAA" && isIPv6(data) && !data.includes("%")) return `AAAA ${canonicalIpv6(data)}`;
  if (type === "TXT" && data.length <= maxTextLength && /^[ -~]+$/u.test(data))
    return `TXT "${data.replaceAll(/["\\]/gu, String.raw`\$&`)}"`;
  throw new Error(
    `${JSON.stringify(line)} is none of: A IPV4, AAAA IPV6, TXT of up to ${String(maxTextLength)} characters of ASCII`,
  );
}

/** The one way of writing it, so that two that are the same are equal. */
export function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
