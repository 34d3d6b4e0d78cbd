import * as z from "zod/mini";
import { decodeConfiguration } from "./canonical.ts";
import { clusterField, countField, goTogether, nameField, signerKeyField } from "./fields.ts";
import { SchedulersConfiguration } from "./scheduler-configuration.ts";

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

/** Where `publish` publishes to, and `scan` asks what publishers say, unless told otherwise. Paths are relative to the file. */
const CacheConfiguration = z.strictObject({
  /** The cache's address: `file:///DIR`, `https://HOST/PATH`, `s3://BUCKET?region=REGION`. */
  to: z.string().check(z.minLength(1)),
  /** Files with the secret keys that sign what is published. */
  keys: z._default(z.array(z.string().check(z.minLength(1))), []),
  /** Addresses of caches that all nodes use besides: what is there isn't published again. */
  upstreams: z._default(z.array(z.string().check(z.minLength(1))), []),
  /** `NAME:BASE64` of the keys whose records `scan` believes. */
  publicKeys: z._default(
    z.array(
      z.string().check(z.regex(/^[\w.+@-]{1,200}:[A-Za-z0-9+/]{43}=$/u, "is not NAME:BASE64")),
    ),
    [],
  ),
});

/** Never an option of ssh's. */
const hostField = z.string().check(z.regex(/^[^-\s][^\s]*$/u, "is no host, as ssh takes it"));

/** A repository's `sealaunch.json`. */
const RepositoryConfiguration = z.strictObject({
  ...trust,
  /** Or `"none"`: nodes have no cache in common, and what they run is copied to each. */
  cache: z.optional(z.union([CacheConfiguration, z.literal("none")])),
  /** By node, how ssh(1) reaches it; the others are root at the node's name. */
  hosts: z.optional(z.record(nameField("node"), hostField)),
  /** Through which schedulers services are deployed, and how those are reached. */
  schedulers: z.optional(SchedulersConfiguration),
});
export type RepositoryConfiguration = z.infer<typeof RepositoryConfiguration>;

/** The cache that a repository names; undefined if it names none, or says that there is none. */
export function cacheOf(
  configuration: RepositoryConfiguration | undefined,
): z.infer<typeof CacheConfiguration> | undefined {
  return configuration?.cache === "none" ? undefined : configuration?.cache;
}

/** A node's `/etc/sealaunch/node.json` (docs/operating.md). */
const NodeConfiguration = z.strictObject({
  ...trust,
  node: nameField("node"),
  /** The file with the node's identity; absolute. */
  identity: z._default(z.string(), "/etc/sealaunch/identity"),
  /** Where the node keeps its marks; absolute. */
  state: z._default(z.string(), "/var/lib/sealaunch"),
  /**
   * The directory in which `sealaunch sync` keeps what this node needs of the source; absolute. Whatever
   * opens with the node's identity reads there, and never in the source itself.
   */
  mirror: z.optional(z.string()),
  /** The private half of the SSH host key, which signs what the node says of itself; absolute. */
  hostKey: z.optional(z.string()),
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

const endpointField = z
  .string()
  .check(z.regex(/^https?:\/\/[^/?#@\s]+:[0-9]+$/u, "is not https://HOST:PORT"));

/** What a file says that `etcd:FILE` names (docs/operating.md). Paths are relative to the file. */
const EtcdConfiguration = z
  .strictObject({
    /** Addresses of its members. */
    endpoints: z.array(endpointField).check(z.minLength(1)),
    /** What all keys begin with; `/` and the object's path follow. */
    prefix: z._default(
      z.string().check(z.regex(/^\/[a-zA-Z0-9._/-]*[a-zA-Z0-9._-]$/u, "is not /NAME")),
      "/sealaunch",
    ),
    /** PEM file of who signs the members' certificates; unless given, whom the system trusts. */
    trustedCa: z.optional(z.string()),
    /** PEM file of the certificate that is shown to them. */
    certificate: z.optional(z.string()),
    /** PEM file of its private half. */
    certificateKey: z.optional(z.string()),
    user: z.optional(z.string().check(z.minLength(1))),
    /** File with that user's password, without a newline or with one at its end. */
    passwordFile: z.optional(z.string()),
    /** Within how many seconds an answer has to come. */
    deadline: z._default(countField(1), 10),
  })
  .check(
    goTogether("certificate", "certificateKey"),
    goTogether("user", "passwordFile"),
    z.refine(
      ({ endpoints }) => new Set(endpoints.map((url) => url.startsWith("https:"))).size === 1,
      "endpoints are all https or all http",
    ),
    z.refine(
      ({ endpoints, certificate, user, trustedCa }) =>
        endpoints.every((url) => url.startsWith("https:")) ||
        [certificate, user, trustedCa].every((field) => field === undefined),
      "certificates and passwords go over https alone",
    ),
  );
export type EtcdConfiguration = z.infer<typeof EtcdConfiguration>;

/** @throws Failure `configuration/invalid`, naming the field */
export function decodeEtcdConfiguration(bytes: Uint8Array, what: string): EtcdConfiguration {
  return decodeConfiguration(bytes, EtcdConfiguration, what);
}
