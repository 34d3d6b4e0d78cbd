import { Failure } from "../failure.ts";
import { findProgram } from "./process.ts";
import type { User } from "./users.ts";

/** What a service runs as. */
export interface Privileges {
  readonly user: User;
  readonly gid: number;
  /** Undefined for the groups that the user belongs to. */
  readonly groups: readonly number[] | undefined;
  /** Capabilities that it keeps, in lower case without `cap_`. */
  readonly ambientCapabilities: readonly string[];
  readonly noNewPrivileges: boolean;
}

/**
 * The command that drops to `privileges` and becomes what follows it: groups first, then gid, then
 * uid, then capabilities, since each step takes the right to do the ones before (setpriv(1)).
 *
 * @throws Failure `program/missing`
 */
export async function dropCommand({
  user,
  gid,
  groups,
  ambientCapabilities,
  noNewPrivileges,
}: Privileges): Promise<string[]> {
  const kept = ambientCapabilities.map((name) => `+${name}`).join(",");
  return [
    await findProgram("setpriv"),
    "--reuid",
    String(user.uid),
    "--regid",
    String(gid),
    ...groupOptions(user, groups),
    ...(kept === "" ? [] : ["--inh-caps", kept, "--ambient-caps", kept]),
    ...(noNewPrivileges ? ["--no-new-privs"] : []),
    "--",
  ];
}

function groupOptions(user: User, groups: readonly number[] | undefined): string[] {
  if (groups !== undefined) return ["--groups", groups.join(",")];
  // setpriv looks the user up by its number; one that no database knows belongs to no group.
  return [user.name === undefined ? "--clear-groups" : "--init-groups"];
}

/** Returns if root runs this. @param what - may only be done by root @throws Failure `privileges/needed` */
export function requireRoot(what = "ask PID 1 and read what was decided for each start"): void {
  const user = process.geteuid?.();
  if (user === 0) return;
  throw new Failure("privileges/needed", `only root may ${what}, and this is user ${String(user)}`);
}
