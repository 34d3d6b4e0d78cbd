import { readFile, readlink } from "node:fs/promises";
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
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const place = `/proc/${String(pid)}`;
  try {
    const [stat, cgroup, program, first] = await Promise.all([
      readFile(`${place}/stat`, "latin1"),
      readFile(`${place}/cgroup`, "latin1"),
      readlink(`${place}/exe`),
      readlink("/proc/1/exe"),
    ]);
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
export async function childrenOf(pid: number): Promise<number[]> {
  const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
  const text = await readFile(path, "latin1").catch(() => "");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}
