import { readMembers, readPool, readRoster, type Cluster } from "../cluster/cluster.ts";
import { Failure } from "../failure.ts";
import { error, warning, type Finding } from "../service/finding.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { sourceRoles, type PoolOfRoles } from "../trust/source-roles.ts";
import { examineRights } from "./source-rights.ts";

/** What was found of a source: what it is like, in words, and what is wrong with it. */
export interface SourceExamination {
  readonly facts: readonly (readonly [what: string, how: string])[];
  readonly findings: readonly Finding[];
}

/** Clocks may differ by this much before it is told: a second is what they are told in. */
const mostApartMs = 5_000;

/**
 * Whether the source answers, knows us, lets us read and, where it grants that by users, write what a node
 * has to and nothing else; the newest roster; which of its members can't be gone by, and how far the clock
 * that is farthest is from ours.
 *
 * @param node - whose rights are expected; undefined for somebody, whose rights are only told
 */
export async function examineReach(
  cluster: Cluster,
  node: string | undefined,
): Promise<SourceExamination> {
  const { source } = cluster;
  const facts: (readonly [string, string])[] = [["source", source.name]];
  const findings: Finding[] = [];
  const begun = performance.now();
  // All that is silent costs the deadline once.
  const asked = source.members?.();
  try {
    await source.list("roster");
    facts.push(["answers", `within ${String(Math.ceil(performance.now() - begun))} ms`]);
    const { record: roster } = await readRoster(cluster);
    facts.push(["newest", `roster ${String(roster.generation)} of ${roster.issued}`]);
    const pools = await readPools(cluster, roster);
    for (const { name, file } of pools)
      if (file !== undefined)
        facts.push(["newest", `pool file ${name} ${String(file.generation)} of ${file.issued}`]);
    if (source.mayChange !== undefined) {
      const roles = sourceRoles(roster, pools);
      const rights = await examineRights(source, roles, node);
      facts.push(["writes", rights.writes.length === 0 ? "nothing" : rights.writes.join(" ")]);
      findings.push(...rights.findings);
    }
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    findings.push(error(failure));
  }
  const members = (await asked) ?? [];
  // Why nothing is had of members that say nothing stands in the error already.
  const isReached = findings.length === 0 || members.some(({ failure }) => failure === undefined);
  for (const { failure, time } of members)
    if (failure !== undefined && (isReached || time !== undefined)) findings.push(warning(failure));
  const time = farthest(
    members.flatMap(({ time }) => time ?? []),
    cluster.now,
  );
  if (time !== undefined) {
    const ahead = Math.round((time.getTime() - cluster.now.getTime()) / 1000);
    facts.push(["clock", `${String(Math.abs(ahead))} s ${ahead < 0 ? "behind" : "ahead of"} ours`]);
    if (Math.abs(ahead) * 1000 > mostApartMs) {
      const what = `the clock of ${source.name} is ${time.toISOString()}, and here it is ${cluster.now.toISOString()}`;
      findings.push(warning(new Failure("clock/behind", what)));
    }
  }
  return { facts, findings };
}

function farthest(times: readonly Date[], now: Date): Date | undefined {
  const apart = (time: Date): number => Math.abs(time.getTime() - now.getTime());
  return times.toSorted((a, b) => apart(b) - apart(a)).at(0);
}

async function readPools(cluster: Cluster, roster: VerifiedRoster): Promise<PoolOfRoles[]> {
  return Promise.all(
    roster.pools.map(async ({ name }) => {
      const file = (await readPool(cluster, roster, name))?.record;
      const members = file === undefined ? [] : (await readMembers(cluster.source, file)).members;
      return { name, file, members };
    }),
  );
}
