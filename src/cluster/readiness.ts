import { Failure } from "../failure.ts";
import { checkEntryForm, maxEntrySize } from "../formats/entry.ts";
import { entryPath } from "../formats/paths.ts";
import { epochsOf } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { judgeStart, type VerifiedStatement } from "../trust/statement.ts";
import { checkPayload } from "./checking.ts";
import { readMember, requirePool, type Cluster } from "./cluster.ts";
import { named } from "./named.ts";
import { readHeaderFor, type Reach } from "./payloads.ts";

/**
 * Returns if a node would be given a bundle's credentials, as far as can be told without its
 * identity and its marks: by the unit that may ask for it, or else in place.
 *
 * @param asking - which node, and the least generation that the unit asks for
 * @throws Failure what a start there would be refused with: `bundle/…`, `entry/…`, `header/…`,
 *   `payload/…`
 */
export async function requireReady(
  cluster: Cluster,
  roster: VerifiedRoster,
  statement: VerifiedStatement,
  { node, floor }: { readonly node: string; readonly floor: number },
): Promise<void> {
  const [unit] = statement.units;
  judgeStart(statement, roster, { unit, inPlace: unit === undefined, floor }, cluster.now);
  const reaches = await reachesOf(cluster, roster, statement, node);
  for (const credential of statement.credentials) {
    await checkPayload(cluster, statement.name, credential);
    await readHeaderFor(cluster.source, statement.name, credential, reaches);
  }
}

async function reachesOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  { name, audience }: VerifiedStatement,
  node: string,
): Promise<Reach[]> {
  const reaches: Reach[] = [];
  const owed: string[] = [];
  for (const pool of audience) {
    const file = await requirePool(cluster, roster, pool);
    const member = await readMember(cluster.source, file, node);
    if (member === undefined) continue;
    for (const { epoch } of epochsOf(file)) {
      const path = entryPath(pool, epoch, member.recipient);
      const bytes = await cluster.source.read(path, maxEntrySize);
      if (bytes === undefined) {
        owed.push(`pool ${pool} has no entry of node ${node} for epoch ${String(epoch)}`);
        continue;
      }
      named(`entry of node ${node} in pool ${pool}, ${path}`, () => {
        checkEntryForm(bytes);
      });
      reaches.push({ pool, epoch });
    }
  }
  if (reaches.length > 0) return reaches;
  if (owed[0] !== undefined) throw new Failure("entry/absent", `bundle ${name}: ${owed[0]}`);
  throw new Failure(
    "bundle/not-for-node",
    `bundle ${name} is for ${audience.join(", ")}, and node ${node} is a member of none of them`,
  );
}
