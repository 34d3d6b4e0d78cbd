import type { Judgement } from "../judgement.ts";

/**
 * Whether what uses a path runs it now: it does; it doesn't; it runs though its unit already names
 * another closure; it has the path mapped though that was deleted from disk; nobody can tell.
 */
export type Running = "yes" | "no" | "restart owed" | "deleted but mapped" | "unknown";

/** One way from something that keeps a store path, or runs it, down to that path. */
export interface Use {
  readonly node: string;
  /** `dns.service`; undefined where no unit runs it, such as a profile. */
  readonly unit: string | undefined;
  /** As its service file names it. */
  readonly service: string | undefined;
  /** Whom to ask, as the service file says. */
  readonly owner: string | undefined;
  /** What keeps the path: a gc root, or what a process has open. */
  readonly root: string;
  /** Store paths, from the root's target to the path itself; the shortest way. */
  readonly through: readonly string[];
  readonly running: Running;
}

/** One machine that was asked about, whether or not anything is known of it. */
export interface ScannedNode {
  readonly name: string;
  readonly state: "known" | "unknown";
  /** Why it is unknown; undefined for one that is known. */
  readonly reason: string | undefined;
  /** When its inventory was taken, RFC 3339; undefined where there is none. */
  readonly taken: string | undefined;
  /** Store paths of its inventory. */
  readonly paths: number;
}

/** One advisory, one version of one package, and everybody who uses it. */
export interface Finding extends Omit<Judgement, "component"> {
  /** Upstream's package, as nixpkgs calls it. */
  readonly name: string;
  readonly version: string | undefined;
  /** Where name and version are known from. */
  readonly from: "publisher" | "derivation" | "path";
  /** Every store path that is this package in this version, judged alike. */
  readonly paths: readonly string[];
  readonly uses: readonly Use[];
}

/** The advisories that a report was made with. */
export interface AdvisoryData {
  readonly files: readonly string[];
  readonly count: number;
  /** When the newest of them was changed, RFC 3339. */
  readonly newest: string | undefined;
  readonly ageDays: number | undefined;
  /** Too old to say of anything that it is in order. */
  readonly stale: boolean;
  /** Records that couldn't be read. */
  readonly skipped: number;
}

/** A binary cache that was asked for publishers' records. */
export interface AskedCache {
  /** Its address. */
  readonly name: string;
  readonly state: "known" | "unknown";
  /** Why what it has isn't known, or not all of it; undefined for one that is known. */
  readonly reason: string | undefined;
}

/** What publishers say of what was looked at (docs/publisher-records.md). */
export interface PublisherData {
  readonly caches: readonly AskedCache[];
  /** Store paths whose record was asked for: those that something is asked about by name. */
  readonly asked: number;
  /** Of them, how many have a record. */
  readonly recorded: number;
  /** Records that count as none: altered, another path's, or signed by nobody who is trusted. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/** What a scan found: everything that its tables and files are made of. */
export interface ScanReport {
  readonly version: 1;
  /** RFC 3339. */
  readonly made: string;
  readonly advisories: AdvisoryData;
  readonly publishers: PublisherData;
  readonly nodes: readonly ScannedNode[];
  readonly findings: readonly Finding[];
}
