import { readFileSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";

/** What the kernel says of a process; it may end at any moment (proc(5)). */
export interface ProcessFacts {
  readonly pid: number;
  /** In clock ticks since boot: with the pid it is one process and no other. */
  readonly startTime: string;
  /** The control group of systemd's own hierarchy. */
  readonly controlGroup: string;
  /** Whether it runs PID 1's own program, or the executor that lies beside it (systemd ≥ 254). */
  readonly isSystemd: boolean;
}

/** The facts of a process; undefined if there is none. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const place = `/proc/${String(pid)}`;
  try {
    const stat = readFileSync(`${place}/stat`, "latin1");
    const cgroup = readFileSync(`${place}/cgroup`, "latin1");
    const program = readlinkSync(`${place}/exe`);
    const first = readlinkSync("/proc/1/exe");
    // The name in parentheses may hold anything, so that counting begins after the last one.
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    const executor = `${dirname(first)}/systemd-executor`;
    const isSystemd = program === first || program === executor;
    return { pid, startTime, controlGroup: ownGroup(cgroup), isSystemd };
  } catch {
    return undefined;
  }
}

/** systemd's hierarchy: its own named one, or the unified one. */
function ownGroup(cgroup: string): string {
  const lines = cgroup.split("\n");
  const named = lines.find((line) => /^[0-9]+:name=systemd:/u.test(line));
  return (named ?? lines.find((line) => line.startsWith("0::")) ?? "")
    .split(":")
    .slice(2)
    .join(":");
}

/** The direct children of a process. */
export function childrenOf(pid: number): number[] {
  return readChildren(pid)
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

function readChildren(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "latin1");
  } catch {
    return "";
  }
}
