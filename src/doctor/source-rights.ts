import type { Cluster } from "../cluster/cluster.ts";
import { Failure } from "../failure.ts";
import { error, warning, type Finding } from "../service/finding.ts";
import type { SourceRole } from "../trust/source-roles.ts";

/** Of thousands of nodes one stands for all others. */
function worthAsking(roles: readonly SourceRole[], user: string): SourceRole[] {
  const others = roles.filter(({ name }) => name.startsWith("node-") && name !== user);
  return roles.filter((role) => !others.slice(1).includes(role));
}

/** What may be written to the source, and what of that is too little or too much for a node, if it is one. */
export async function examineRights(
  source: Cluster["source"],
  roles: readonly SourceRole[],
  node: string | undefined,
): Promise<{ readonly writes: readonly string[]; readonly findings: readonly Finding[] }> {
  const user = `node-${node ?? ""}`;
  const writable = (some: readonly SourceRole[]): string[] => [
    ...new Set(
      some.flatMap(({ grants }) =>
        grants.flatMap(({ may, beginning }) => (may === "readwrite" ? [beginning] : [])),
      ),
    ),
  ];
  const expected = writable(roles.filter(({ users }) => users.includes(user)));
  const asked = await Promise.all(
    [...new Set([...expected, ...writable(worthAsking(roles, user))])].map(async (beginning) => ({
      beginning,
      isGranted: (await source.mayChange?.(beginning)) === true,
    })),
  );
  const known = asked.flatMap(({ beginning, isGranted }) => (isGranted ? [beginning] : []));
  // Nobody asks for what no role has, such as one key, another's folder or what lies beside the source.
  const others = (await source.mayAlsoChange?.(known)) ?? [];
  const granted = [...new Set([...known, ...others])];
  const writes = withoutInner(granted).map((beginning) =>
    beginning === "" ? "everything" : beginning,
  );
  if (node === undefined) return { writes, findings: [] };
  const missing = expected.filter((beginning) => !granted.includes(beginning));
  const excess = withoutInner(
    granted.filter((beginning) => !expected.some((own) => beginning.startsWith(own))),
  );
  return {
    writes,
    findings: [
      ...missing.map((beginning) =>
        error(
          new Failure(
            "source/forbidden",
            `node ${node} can't write ${beginning} to ${source.name}`,
          ),
        ),
      ),
      ...excess.map((beginning) =>
        warning(
          new Failure(
            "source/excess",
            `node ${node} can write ${beginning === "" ? "everything" : beginning} to ${source.name}, and has no need to`,
          ),
        ),
      ),
    ],
  };
}

/** Without what another beginning has in it. */
function withoutInner(beginnings: readonly string[]): string[] {
  return beginnings.filter(
    (one) => !beginnings.some((other) => other !== one && one.startsWith(other)),
  );
}
