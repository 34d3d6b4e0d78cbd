import { Failure } from "../failure.ts";
import { error, warning, type Finding } from "./finding.ts";

/**
 * What a version of systemd can't do for a start through the agent.
 *
 * @param version - as PID 1 says it, such as `252.39-1~deb12u2`
 */
export function examineVersion(version: string): Finding[] {
  const [, first = "0", second] = /^([0-9]+)(?:\.([0-9]+))?/u.exec(version) ?? [];
  if (Number(first) < 250) {
    return [refused(`systemd ${version} doesn't ask sockets for the credentials of every unit`)];
  }
  if (first !== "252") return [];
  const what =
    "systemd 252 before 252.4 ends with an assertion when it asks a socket for a credential";
  if (second === undefined) {
    return [
      warning(
        new Failure("systemd/too-old", `${what}, and ${version} doesn't say which of them it is`),
      ),
    ];
  }
  return Number(second) < 4 ? [refused(`${what}, and this is ${version}`)] : [];
}

function refused(message: string): Finding {
  return error(new Failure("systemd/too-old", message));
}
