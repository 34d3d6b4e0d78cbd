import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Failure } from "../failure.ts";
import { coalesce } from "./coalesce.ts";
import { createResponder, findProgram, type Responder } from "./process.ts";

// One dump answers for all connections that were accepted while the one before it ran. ss(8) is begun
// by a shell that stays, which forks in a third of the time that Node takes (docs/decisions/0016).
// Never -p: a process may put newlines into the names that it would print.
const dumpTogether = coalesce(async (paths: readonly string[]) => {
  ask ??= createResponder(
    `while read -r path; do ${await findProgram("ss")} -xnH src = "unix:$path"; echo; done`,
  );
  return (await ask(`${paths[0] ?? ""}\n`)).split("\n");
});

let ask: Responder | undefined;

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
export function abstractNames(): ReadonlyMap<number, readonly string[]> {
  const table = readFileSync("/proc/net/unix", "latin1");
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
export function holdsSocket(pid: number, inode: number): boolean {
  const directory = `/proc/${String(pid)}/fd`;
  const wanted = `socket:[${String(inode)}]`;
  try {
    return readdirSync(directory).some((name) => targetOf(`${directory}/${name}`) === wanted);
  } catch {
    return false;
  }
}

/** The inode of the socket that is this process's descriptor. @throws Failure `host/sockets` */
export function inodeOf(descriptor: number): number {
  const inode = /^socket:\[([0-9]+)\]$/u.exec(targetOf(`/proc/self/fd/${String(descriptor)}`))?.[1];
  if (inode !== undefined) return Number(inode);
  throw new Failure("host/sockets", `descriptor ${String(descriptor)} is no socket`);
}

/** What a link points to; "" if it is gone: processes end at any moment. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
