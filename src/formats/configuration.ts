import * as z from "zod/mini";
import { decodeConfiguration } from "./canonical.ts";
import { clusterField, countField, nameField, signerKeyField } from "./fields.ts";

const trust = {
  /** The cluster's random name, 32 hex digits. */
  cluster: clusterField,
  /** Where sealed objects live, such as `dir:.`; paths are relative to the file. */
  source: z.string().check(z.minLength(1)),
  /** The root keys that this machine trusts: the only trust that is configured. */
  roots: z.array(signerKeyField).check(z.minLength(1)),
  /** How many of them must have signed a roster. */
  threshold: z._default(countField(1), 1),
};

/** A repository's `sealaunch.json`. */
const RepositoryConfiguration = z.strictObject(trust);
export type RepositoryConfiguration = z.infer<typeof RepositoryConfiguration>;

/** A node's `/etc/sealaunch/node.json` (docs/operating.md). */
const NodeConfiguration = z.strictObject({
  ...trust,
  node: nameField("node"),
  /** The file with the node's identity; absolute. */
  identity: z._default(z.string(), "/etc/sealaunch/identity"),
  /** Where the node keeps its marks; absolute. */
  state: z._default(z.string(), "/var/lib/sealaunch"),
  /** For how many days the store keeps what a unit ran that is inactive. */
  keepClosures: z._default(countField(0), 7),
  /** Whether a stale roster or pool file is refused, not only warned of. */
  refuseStale: z._default(z.boolean(), false),
});
export type NodeConfiguration = z.infer<typeof NodeConfiguration>;

/** @throws Failure `configuration/invalid`, naming the field */
export function decodeRepositoryConfiguration(
  bytes: Uint8Array,
  what: string,
): RepositoryConfiguration {
  return decodeConfiguration(bytes, RepositoryConfiguration, what);
}

/** @throws Failure `configuration/invalid`, naming the field */
export function decodeNodeConfiguration(bytes: Uint8Array, what: string): NodeConfiguration {
  return decodeConfiguration(bytes, NodeConfiguration, what);
}
