import { readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { readProc } from "./proc.ts";

/** What the kernel says of a process; it may end at any moment (proc(5)). */
export interface ProcessFacts {
  readonly pid: number;
  /** In clock ticks since boot: with the pid it is one process and no other. */
  readonly startTime: string;
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
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    return { pid, startTime, controlGroup: ownGroup(cgroup), isSystemd: isSystemd(shown) };
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
    return readProc(`/proc/${String(pid)}/task/${String(pid)}/children`);
  } catch {
    return "";
  }
}
