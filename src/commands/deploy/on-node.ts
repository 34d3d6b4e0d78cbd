import { textOf, utf8 } from "../../crypto/bytes.ts";
import { Failure, failures, type FailureCode } from "../../failure.ts";
import { decodeInstallAnswer, type InstallAnswer } from "../../formats/install-answer.ts";
import { runOverSsh, type Remote } from "../../host/ssh/remote.ts";
import { systemdUnit } from "../../service/systemd-unit.ts";
import type { Context } from "../context.ts";
import type { Release } from "./submission.ts";

/**
 * What `unit --install` answers on a node, given the release's unit.
 *
 * @param option - one more of its options; none if ""
 * @throws Failure `ssh/failed`
 */
export async function install(
  { environment }: Context,
  { service, guard, unit, settle }: Release,
  remote: Remote,
  option: string,
): Promise<InstallAnswer> {
  // Unit names have no quote. The answer is the standard output, or the refusal that ends the other one.
  const words = `--settle ${String(settle)} --json ${option}`;
  const command = `d=$(mktemp -d) && cat >"$d"/'${unit}' &&
    { sealaunch unit --install "$d"/'${unit}' ${words} 2>"$d"/why || cat "$d"/why; rm -r "$d"; }`;
  const text = utf8(systemdUnit(service, guard));
  const said = textOf(await runOverSsh(remote, command, text, environment)) ?? "";
  const answer = decodeInstallAnswer(said);
  if (answer !== undefined) return answer;
  const last = said.trim().split("\n").at(-1) ?? "";
  throw new Failure("ssh/failed", `${remote.host} doesn't answer as sealaunch does: ${last}`);
}

/** What a node has answered, as a failure of here. */
export function failureOf(
  answer: Pick<Failure, "message" | "hint"> & { readonly code: string },
): Failure {
  return new Failure(knownCode(answer.code), answer.message, answer.hint);
}

/** A node may have another version, with codes that aren't known here. */
function knownCode(code: string): FailureCode {
  return Object.hasOwn(failures, code) ? (code as FailureCode) : "unit/not-started";
}
