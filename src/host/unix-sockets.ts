import { readdir, readFile, readlink } from "node:fs/promises";
import { Failure } from "../failure.ts";
import { coalesce } from "./coalesce.ts";
import { findProgram, run } from "./process.ts";

const deadlineMs = 10_000;

// One dump answers for all connections that were accepted while the one before it ran.
const dumpTogether = coalesce(async (paths: readonly string[]) => {
  // Never -p: a process may put newlines into the names that it would print.
  const { exitCode, stdout } = await run(
    await findProgram("ss"),
    ["-xnH", "src", "=", `unix:${paths[0] ?? ""}`],
    { timeoutMs: deadlineMs },
  );
  if (exitCode !== 0) throw new Failure("host/sockets", "ss doesn't list the agent's sockets");
  return new TextDecoder("latin1").decode(stdout).split("\n");
});

/**
 * The inode of the socket at the other end of the accepted socket with inode `own`.
 *
 * @param listening - the path that it was accepted on, without blanks
 * @throws Failure `host/sockets` if the kernel doesn't know one
 */
export async function peerInode(listening: string, own: number): Promise<number> {
  const rows = (await dumpTogether(listening)).map((line) => line.trim().split(/ +/u));
  // u_str ESTAB 0 0 PATH OWN * PEER (ss(8))
  const peers = rows
    .filter(([, , , , path, inode]) => path === listening && inode === String(own))
    .map(([, , , , , , , peer]) => Number(peer));
  const [peer = 0] = peers;
  if (peers.length === 1 && Number.isSafeInteger(peer) && peer > 0) return peer;
  throw new Failure("host/sockets", `the kernel knows no peer of socket ${String(own)}`);
}

/** The names of the abstract sockets of this network namespace, by inode, one character a byte (unix(7)). */
export async function abstractNames(): Promise<ReadonlyMap<number, readonly string[]>> {
  const table = await readFile("/proc/net/unix", "latin1");
  const names = new Map<number, string[]>();
  // Num RefCount Protocol Flags Type St Inode @NAME. A name may hold a newline and so forge a row:
  // then an inode has two, which nobody believes.
  for (const [, inode, name = ""] of table.matchAll(
    /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ +([0-9]+) @(.*)$/gmu,
  )) {
    names.set(Number(inode), [...(names.get(Number(inode)) ?? []), name]);
  }
  return names;
}

/** Whether a process has the socket with that inode open. */
export async function holdsSocket(pid: number, inode: number): Promise<boolean> {
  const directory = `/proc/${String(pid)}/fd`;
  const descriptors = await readdir(directory).catch(() => []);
  const wanted = `socket:[${String(inode)}]`;
  const targets = await Promise.all(
    descriptors.map((name) => readlink(`${directory}/${name}`).catch(() => "")),
  );
  return targets.includes(wanted);
}

/** The inode of the socket that is this process's descriptor. @throws Failure `host/sockets` */
export async function inodeOf(descriptor: number): Promise<number> {
  const target = await readlink(`/proc/self/fd/${String(descriptor)}`).catch(() => "");
  const inode = /^socket:\[([0-9]+)\]$/u.exec(target)?.[1];
  if (inode !== undefined) return Number(inode);
  throw new Failure("host/sockets", `descriptor ${String(descriptor)} is no socket`);
}
