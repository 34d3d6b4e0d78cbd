import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Failure } from "../failure.ts";
import { coalesce } from "./coalesce.ts";
import { createResponder, findProgram } from "./process.ts";

/** The inode at the other end of the socket with that inode, accepted at a path; NaN if there is none. */
type FindPeer = (own: number, listening: string) => Promise<number>;

/**
 * Asks the kernel for one socket, by its inode (sock_diag(7), unix_diag_req): 0.4 ms.
 *
 * Perl, because Node has no netlink, ss(8) takes 3 ms to start and lists every socket of the machine, and
 * a Debian without perl-base isn't one.
 */
export function askNetlink(perl: string): FindPeer {
  const ask = createResponder(`exec ${perl} -e '${netlinkProgram}'`);
  return async (own) => Number((await ask(`${String(own)}\n`)).trim() || Number.NaN);
}

// AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG; SOCK_DIAG_BY_FAMILY for AF_UNIX, any state, UDIAG_SHOW_PEER,
// no cookie. The answer is a unix_diag_msg of 16 bytes and attributes, of which UNIX_DIAG_PEER is 2.
const netlinkProgram = `
$| = 1;
socket(N, 16, 3, 4) or exit 1;
while (<STDIN>) {
  my $request = pack("CCSLLLLL", 1, 0, 0, 0xffffffff, $_, 4, 0xffffffff, 0xffffffff);
  send(N, pack("LSSLL", 16 + length $request, 20, 1, 1, 0) . $request, 0) or exit 1;
  recv(N, my $answer, 8192, 0) // exit 1;
  my ($size, $type) = unpack("LS", $answer);
  my ($peer, $at) = (0, 32);
  while ($type == 20 && $at + 4 <= $size) {
    my ($length, $kind) = unpack("SS", substr($answer, $at));
    last if $length < 4;
    $peer = unpack("L", substr($answer, $at + 4)) if $kind == 2;
    $at += ($length + 3) & ~3;
  }
  print "$peer\\n\\n";
}`;

/** Has ss(8) list the sockets that were accepted at the path: where there is no perl. */
export function askSs(ss: string): FindPeer {
  // Started by a shell that stays, which forks in half the time that Node takes. Never -p: a process may
  // put newlines into the names that it would print. One list answers for all connections that were
  // accepted while the one before it was made.
  const ask = createResponder(`while read -r path; do ${ss} -xnH src = "unix:$path"; echo; done`);
  const list = coalesce(async (paths: readonly string[]) =>
    (await ask(`${paths[0] ?? ""}\n`)).split("\n").map((line) => line.trim().split(/ +/u)),
  );
  return async (own, listening) => {
    // u_str ESTAB 0 0 PATH OWN * PEER
    const peers = (await list(listening))
      .filter(([, , , , path, inode]) => path === listening && inode === String(own))
      .map(([, , , , , , , peer]) => Number(peer));
    return peers.length === 1 ? (peers[0] ?? Number.NaN) : Number.NaN;
  };
}

let findPeer: Promise<FindPeer> | undefined;

/**
 * The inode of the socket at the other end of the accepted socket with inode `own`.
 *
 * @param listening - the path that it was accepted on, without blanks
 * @throws Failure `host/sockets` if the kernel doesn't know one
 */
export async function peerInode(listening: string, own: number): Promise<number> {
  findPeer ??= findProgram("perl").then(askNetlink, async () => askSs(await findProgram("ss")));
  const peer = await (await findPeer)(own, listening);
  if (Number.isSafeInteger(peer) && peer > 0) return peer;
  throw new Failure("host/sockets", `the kernel knows no peer of socket ${String(own)}`);
}

/** The names of the abstract sockets of this network namespace, by inode, one character a byte (unix(7)). */
export function abstractNames(): ReadonlyMap<number, readonly string[]> {
  const table = readFileSync("/proc/self/net/unix", "latin1");
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
