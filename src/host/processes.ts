import { readlinkSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { readProc } from "./proc.ts";

/** What the kernel says of a process; it may end at any moment (proc(5)). */
export interface ProcessFacts {
  readonly pid: number;
  /** In clock ticks since boot: with the pid it is one process and no other. */
  readonly startTime: string;
  readonly parent: number;
  /** The control group of systemd's own hierarchy. */
  readonly controlGroup: string;
  /**
   * Whether it runs PID 1's own program, or the executor that lies beside it (systemd ≥ 254), and may do
   * all that PID 1 may: anybody can execute that program, but gains nothing by it.
   */
  readonly isSystemd: boolean;
}

/** The facts of a process; undefined if there is none. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const place = `/proc/${String(pid)}`;
  try {
    const stat = readProc(`${place}/stat`);
    const cgroup = readProc(`${place}/cgroup`);
    const shown = { program: readlinkSync(`${place}/exe`), powers: powersOf(place) };
    // The name in parentheses may hold anything, so that counting begins after the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      pid,
      parent: Number(fields[1]),
      startTime: fields[19] ?? "",
      controlGroup: ownGroup(cgroup),
      isSystemd: isSystemd(shown),
    };
  } catch {
    return undefined;
  }
}

/** What a process runs, and what it may do, and in which user namespace. */
interface Shown {
  readonly program: string;
  readonly powers: string;
}

let first: Shown | undefined;

/** PID 1 changes only when it is replaced, as by an update: what isn't like it is compared with it anew. */
function isSystemd(shown: Shown): boolean {
  if (first !== undefined && isLike(shown, first)) return true;
  first = { program: readlinkSync("/proc/1/exe"), powers: powersOf("/proc/1") };
  return isLike(shown, first);
}

function isLike({ program, powers }: Shown, one: Shown): boolean {
  const executor = `${dirname(one.program)}/systemd-executor`;
  return (program === one.program || program === executor) && powers === one.powers;
}

/** In a user namespace of one's own, everybody has all capabilities. */
function powersOf(place: string): string {
  const permitted = /^CapPrm:\t([0-9a-f]{16})$/mu.exec(readProc(`${place}/status`));
  if (permitted === null) throw new TypeError(`${place}/status`);
  return `${readlinkSync(`${place}/ns/user`)} ${permitted[1] ?? ""}`;
}

/** Linux's CGROUP2_SUPER_MAGIC (statfs(2)). */
const unifiedType = 0x63677270;
let hierarchy: RegExp | undefined;

/** The path in systemd's hierarchy. */
function ownGroup(cgroup: string): string {
  const line = (hierarchy ??= findHierarchy());
  const own = cgroup.split("\n").find((one) => line.test(one)) ?? "";
  return own.split(":").slice(2).join(":");
}

/**
 * The lines of systemd's hierarchy: the unified one where that is mounted, also beside the older ones, and else
 * the one that bears its name. A process may have both lines, and systemd has put it into one alone.
 */
function findHierarchy(): RegExp {
  const isUnified = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].some((place) => {
    try {
      return statfsSync(place).type === unifiedType;
    } catch {
      return false;
    }
  });
  return isUnified ? /^0::/u : /^[0-9]+:name=systemd:/u;
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
    return readProc(`/proc/${String(pid)}/task/${String(pid)}/children`);
  } catch {
    return "";
  }
}
