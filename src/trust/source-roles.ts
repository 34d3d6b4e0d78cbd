import {
  bundleFolder,
  bundlesFolder,
  entriesOf,
  headersFolder,
  headersOf,
  nodeFolder,
  nodesFolder,
  poolFolder,
  rosterFolder,
} from "../formats/paths.ts";
import type { Members } from "../formats/records/pool.ts";
import type { RosterSigner } from "../formats/records/roster.ts";
import type { VerifiedPool } from "./pool.ts";
import { rosterName, type VerifiedRoster } from "./roster.ts";

/** What those who have a role may do with all paths that begin so. */
export interface Grant {
  readonly may: "read" | "readwrite";
  readonly beginning: string;
}

/** A role in a source that grants prefixes, and who has it. */
export interface SourceRole {
  readonly name: string;
  readonly grants: readonly Grant[];
  /** Names of users: `node-NAME` and `signer-NAME`. Of managers and roots the roster knows only keys. */
  readonly users: readonly string[];
}

/** A pool as its newest file has it; without one while it has no member. */
export interface PoolOfRoles {
  readonly name: string;
  readonly file: VerifiedPool | undefined;
  readonly members: Members["members"];
}

const write = (folder: string): Grant => ({ may: "readwrite", beginning: `${folder}/` });

/**
 * The least that each may write who has to. Everybody reads everything: what lies in a source is sealed
 * or public. These hold writers apart, so that who loses a password can't take away what others wrote;
 * whom a reader believes, signatures alone say.
 */
export function sourceRoles(roster: VerifiedRoster, pools: readonly PoolOfRoles[]): SourceRole[] {
  const nodes = [
    ...new Set(pools.flatMap(({ members }) => members.map(({ node }) => node))),
  ].sort();
  const signers = roster.signers.map((signer) => `signer-${signer.name}`);
  const all = [...nodes.map((node) => `node-${node}`), ...signers];
  return [
    { name: "reader", grants: [{ may: "read", beginning: "" }], users: all },
    ...pools.map(({ name, members }) => ({
      name: `pool-${name}`,
      grants: [write(headersOf(name)), write(entriesOf(name))],
      users: members.map(({ node }) => `node-${node}`),
    })),
    ...nodes.map((node) => ({
      name: `node-${node}`,
      grants: [write(nodeFolder(node))],
      users: [`node-${node}`],
    })),
    ...roster.signers.map((signer) => ({
      name: `signer-${signer.name}`,
      grants: signer.names.flatMap((scope) => sealing(roster, pools, scope)),
      users: [`signer-${signer.name}`],
    })),
    ...pools.map(({ name }) => ({
      name: `manager-${name}`,
      // Who enrols and evicts begins epochs, ends them, and brings or takes cards.
      grants: [poolFolder(name), entriesOf(name), headersOf(name), nodesFolder].map(write),
      users: [],
    })),
    { name: "root", grants: [rosterFolder, `${rosterFolder}-pending`].map(write), users: [] },
    { name: "operator", grants: ["headers", "entries"].map(write), users: [] },
    { name: "copy", grants: [{ may: "readwrite", beginning: "" }], users: [] },
  ];
}

/**
 * What `seal` writes of the names in a signer's scope: statements and payloads, and headers for the
 * epochs that pools are in; for the next ones too, so that an eviction stops nobody.
 */
function sealing(
  roster: VerifiedRoster,
  pools: readonly PoolOfRoles[],
  scope: RosterSigner["names"][number],
): Grant[] {
  const name = scope.replace(/\/$/u, "");
  const bundle = bundleFolder(name);
  const own = scope.endsWith("/")
    ? [write(`${bundlesFolder}/${name}`)]
    : [
        write(`${bundle}/values`),
        {
          may: "readwrite" as const,
          beginning: `${bundle}/${String(rosterName(roster, name).series)}.`,
        },
      ];
  const headers = pools.flatMap((pool) => {
    const epoch = pool.file?.current.epoch ?? 1;
    return [epoch, epoch + 1].map((one) => write(`${headersFolder(pool.name, one)}/${name}`));
  });
  return [...own, ...headers];
}
