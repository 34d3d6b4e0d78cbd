import type { RunningOn } from "../../cluster/running-on.ts";
import { Failure } from "../../failure.ts";

/** Each node of the rows, once. */
export function namesOf(rows: readonly RunningOn[]): string[] {
  return [...new Set(rows.map(({ node }) => node))];
}

const maxNamed = 10;

/**
 * Ends as programs are to see it.
 *
 * @param behind - the rows of who is behind
 * @param waited - for how many seconds it was waited, if it was
 * @throws Failure `unit/behind` if there is one
 */
export function concludeMembers(behind: readonly RunningOn[], waited: string | undefined): void {
  const [first] = behind;
  if (first === undefined) return;
  const names = namesOf(behind);
  const more = names.length > maxNamed ? ` and ${String(names.length - maxNamed)} more` : "";
  const after = waited === undefined ? "" : ` after ${waited} seconds`;
  throw new Failure(
    "unit/behind",
    `behind${after}: ${names.slice(0, maxNamed).join(", ")}${more}; ${first.node}: ${first.why}`,
    whatMends(first),
  );
}

/** What somebody on the node does about it. */
function whatMends({ node, unit, has, why }: RunningOn): string {
  const there = `on ${node}, as root:`;
  if (unit === undefined) {
    return `${there} systemctl status sealaunch-agent.socket sealaunch-sync.service; nodes that reach no source report by sealaunch sync --ssh ${node}`;
  }
  if (has === undefined || why.startsWith("refused")) return `${there} sealaunch doctor ${unit}`;
  return `${there} sealaunch status --restart-stale`;
}
