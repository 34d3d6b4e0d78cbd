import { readMembers, readPool, readRoster } from "../cluster/cluster.ts";
import { Failure } from "../failure.ts";
import { sourceRoles } from "../trust/source-roles.ts";
import type { Context } from "./context.ts";
import { openHere } from "./repository.ts";

/** What keeps the roles of this program apart from others in the same etcd. */
const rolePrefix = "sealaunch-";

/**
 * Prints the commands that give each node, signer, manager, root and operator in etcd the right to write
 * what it has to, and nothing else.
 *
 * @param prefix - what all keys begin with
 * @throws Failure `usage/invalid`; what reading the roster and pools refuses
 */
export async function etcdRoles(context: Context, prefix: string): Promise<void> {
  if (!/^\/[a-zA-Z0-9._/-]*[a-zA-Z0-9._-]$/u.test(prefix)) {
    throw new Failure("usage/invalid", `prefix ${JSON.stringify(prefix)} is not /NAME`);
  }
  const cluster = await openHere(context);
  const { record: roster } = await readRoster(cluster);
  const pools = await context.each("pool", roster.pools, async ({ name }) => {
    const file = (await readPool(cluster, roster, name))?.record;
    const members = file === undefined ? [] : (await readMembers(cluster.source, file)).members;
    return { name, file, members };
  });
  const roles = sourceRoles(roster, pools).map(({ name, grants, users }) => ({
    role: `${rolePrefix}${name}`,
    grants: grants.map(({ may, beginning }) => ({ may, prefix: `${prefix}/${beginning}` })),
    users,
  }));
  for (const { role, grants } of roles) {
    context.print(`etcdctl role add ${role}`);
    for (const { may, prefix: key } of grants)
      context.print(`etcdctl role grant-permission --prefix ${role} ${may} ${key}`);
  }
  for (const user of new Set(roles.flatMap(({ users }) => users))) {
    context.print(`etcdctl user add --no-password ${user}`);
    for (const { role, users } of roles)
      if (users.includes(user)) context.print(`etcdctl user grant-role ${user} ${role}`);
  }
  context.result({ roles });
}
