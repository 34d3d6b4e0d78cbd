import { examineNode } from "../../doctor/node.ts";
import type { Running } from "../../doctor/running.ts";
import { examineUnit } from "../../doctor/unit.ts";
import { Failure } from "../../failure.ts";
import { restartUnit } from "../../host/systemd/jobs.ts";
import type { Context } from "../context.ts";

/**
 * After it, each service that was behind and can start was restarted, one after the other. One that
 * couldn't start is left running, and told of.
 *
 * @throws Failure `unit/not-started` at the first that doesn't run afterwards
 */
export async function restartBehind(context: Context, running: readonly Running[]): Promise<void> {
  // What a unit takes from a store path it takes from there again.
  const behind = running.filter(({ bundles }) =>
    bundles.some(({ isBehind, path }) => isBehind && path === undefined),
  );
  if (behind.length === 0) return;
  const node = await examineNode(context.configuration, context.now);
  let left = behind.length;
  for (const { unit } of behind) {
    const findings = [...node.findings, ...(await examineUnit(unit, node.node))];
    const reason = findings.find(({ severity }) => severity === "error");
    left -= 1;
    if (reason !== undefined) {
      context.warn(`${unit} is left running, since it couldn't start: ${reason.failure.message}`);
      continue;
    }
    context.print(`restarting ${unit}`);
    if (await restartUnit(unit)) continue;
    throw new Failure(
      "unit/not-started",
      `${unit} was restarted and doesn't run${left === 0 ? "" : `; ${String(left)} more that are behind were left as they are`}`,
      `sealaunch doctor ${unit}; systemctl status ${unit}`,
    );
  }
}
