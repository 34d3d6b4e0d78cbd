import { resolve } from "node:path";
import { identityPath } from "../../doctor/identity.ts";
import { agentUnits, examineNode } from "../../doctor/node.ts";
import { searchMachine, secretsOf, type FoundPlace } from "../../doctor/plaintext.ts";
import { Failure } from "../../failure.ts";
import { requireRoot } from "../../host/privileges.ts";
import type { Context } from "../context.ts";

/**
 * Looks for the values of this node's credentials, and for its identity, wherever they should not
 * stand. Prints places, never values.
 *
 * @param except - files and directories that are passed over
 * @throws Failure `plaintext/found` if there is one; `privileges/needed`; what keeps them from being
 *   opened
 */
export async function searchPlaintext(context: Context, except: readonly string[]): Promise<void> {
  requireRoot();
  const { findings, node } = await examineNode(context.configuration, context.now);
  if (node === undefined) {
    const first = findings.findLast(({ severity }) => severity === "error");
    throw first?.failure ?? new Failure("internal/bug", "internal: a node without a finding");
  }
  using secrets = await secretsOf(node);
  for (const name of secrets.tooShort) context.warn(`${name} is too short to be looked for`);
  for (const { message } of secrets.unopened) context.warn(`not looked for: ${message}`);
  context.print(
    `looking for ${secrets.sought.map(({ name }) => name).join(", ")}: disk, store, /run, journal, processes`,
  );
  const home = await identityPath(node.node, agentUnits.service);
  const passed = [home, ...except.map((path) => resolve(context.directory, path))];
  const found: FoundPlace[] = [];
  for await (const place of searchMachine(secrets.sought, passed)) {
    found.push(place);
    const why = place.isAskedFor ? ", as the unit asks for with --env" : "";
    context.print(`${place.place}: ${place.names.join(", ")}${why}`);
  }
  context.result(found);
  const unasked = found.filter(({ isAskedFor }) => !isAskedFor);
  const [first] = unasked;
  if (first === undefined) {
    context.print("found nowhere else");
    return;
  }
  const more = unasked.length === 1 ? "" : ` and in ${String(unasked.length - 1)} more places`;
  throw new Failure("plaintext/found", `${first.names.join(", ")} stands in ${first.place}${more}`);
}
