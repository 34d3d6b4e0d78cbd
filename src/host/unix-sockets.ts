import { readdirSync } from "node:fs";
import { Failure } from "../failure.ts";
import { coalesce } from "./coalesce.ts";
import { linkTarget, readProcLines } from "./proc.ts";
import { createResponder, findProgram } from "./process.ts";

/** The other end of a connection. */
export interface Peer {
  readonly inode: number;
  /** Its abstract name, one character a byte; "" if it has none, or none that is surely its. */
  readonly name: string;
  /** Who has connected it, whoever has it now; undefined where the kernel couldn't be asked. */
  readonly connector: Connector | undefined;
}

/** Who has connected a socket. */
export interface Connector {
  /** -1 if it has ended. */
  readonly pid: number;
  /** Whether it is that very process (Linux ≥ 6.5), and not one that came to have its number when it had ended. */
  readonly isSame: boolean;
}

/** A socket of this process's. */
export interface OwnSocket {
  readonly inode: number;
  readonly descriptor: number;
}

/** The other end of a socket that was accepted at a path; inode NaN if there is none. */
type FindPeer = (own: OwnSocket, listening: string) => Promise<Peer>;

/**
 * Asks the kernel for one socket, by its inode (sock_diag(7), unix_diag_req): 0.4 ms.
 *
 * Perl, because Node has no netlink, ss(8) takes 3 ms to start and lists every socket of the machine, and
 * a Debian without perl-base isn't one.
 */
export function askNetlink(perl: string): FindPeer {
  const ask = createResponder(`exec ${perl} -e '${netlinkProgram}'`);
  return async (own) => {
    const [inode = "", how = "", pid = "", name = ""] = (
      await ask(`${String(own.inode)} ${String(own.descriptor)}\n`)
    )
      .trim()
      .split(" ");
    // An abstract name begins with a NUL, and any other byte may follow.
    const bytes = Buffer.from(name, "hex");
    return {
      inode: Number(inode || Number.NaN),
      name: bytes[0] === 0 ? bytes.toString("latin1", 1) : "",
      connector: how === "none" ? undefined : { pid: Number(pid), isSame: how === "same" },
    };
  };
}

// AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG; SOCK_DIAG_BY_FAMILY for AF_UNIX, any state, no cookie, and
// what to show: UDIAG_SHOW_NAME is 1, UDIAG_SHOW_PEER 4. The answer is a unix_diag_msg of 16 bytes and
// attributes, of which UNIX_DIAG_NAME is 0 and UNIX_DIAG_PEER 2. Who has connected is said to who has the socket
// alone: by SO_PEERPIDFD, 77 at the level SOL_SOCKET, or, before Linux 6.5, by SO_PEERCRED, 17 (unix(7)). A copy of
// it is taken, with pidfd_open(2), 434, of the parent, and pidfd_getfd(2), 438. A descriptor may have come to be
// another socket's meanwhile. ENOPROTOOPT is 92. /proc/PID/fdinfo has a process descriptor's `Pid:`, -1 when that process has ended.
const netlinkProgram = `
$| = 1;
socket(N, 16, 3, 4) or exit 1;
sub show {
  my ($inode, $show, $wanted) = @_;
  my $request = pack("CCSLLLLL", 1, 0, 0, 0xffffffff, $inode, $show, 0xffffffff, 0xffffffff);
  send(N, pack("LSSLL", 16 + length $request, 20, 1, 1, 0) . $request, 0) or exit 1;
  recv(N, my $answer, 8192, 0) // exit 1;
  my ($size, $type) = unpack("LS", $answer);
  my $at = 32;
  while ($type == 20 && $at + 4 <= $size) {
    my ($length, $kind) = unpack("SS", substr($answer, $at));
    last if $length < 4;
    return substr($answer, $at + 4, $length - 4) if $kind == $wanted;
    $at += ($length + 3) & ~3;
  }
  return "";
}
my $parent = syscall(434, getppid(), 0);
sub connector {
  my ($inode, $descriptor) = @_;
  my $copy = syscall(438, $parent, $descriptor, 0);
  return "none 0" if $copy < 0 || !open(my $socket, "+<&=", $copy);
  return "none 0" if (stat $socket)[1] != $inode;
  my $process = unpack("l", getsockopt($socket, 1, 77) // "");
  my $unknown = $! + 0;
  if (defined $process) {
    open(my $opened, "<&=", $process) or return "none 0";
    open(my $info, "<", "/proc/self/fdinfo/$process") or return "none 0";
    my ($pid) = join("", <$info>) =~ /^Pid:\\s+(-?[0-9]+)$/m;
    return defined $pid ? "same $pid" : "none 0";
  }
  return "same -1" if $unknown != 92;
  my $pid = unpack("l", getsockopt($socket, 1, 17) // "") || -1;
  return "number $pid";
}
while (<STDIN>) {
  my ($own, $descriptor) = map { $_ + 0 } split;
  my $peer = unpack("L", show($own, 4, 2)) // 0;
  print "$peer ", connector($own, $descriptor), " ", $peer ? unpack("H*", show($peer, 1, 0)) : "", "\\n\\n";
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
      .filter(([, , , , path, inode]) => path === listening && inode === String(own.inode))
      .map(([, , , , , , , peer]) => Number(peer));
    const inode = peers.length === 1 ? (peers[0] ?? Number.NaN) : Number.NaN;
    const names = abstractNames().get(inode) ?? [];
    return { inode, name: names.length === 1 ? (names[0] ?? "") : "", connector: undefined };
  };
}

let findPeer: Promise<FindPeer> | undefined;

/**
 * The socket at the other end of an accepted one.
 *
 * @param listening - the path that it was accepted on, without blanks
 * @throws Failure `host/sockets` if the kernel doesn't know one
 */
export async function peerOf(listening: string, own: OwnSocket): Promise<Peer> {
  findPeer ??= findProgram("perl").then(askNetlink, async () => askSs(await findProgram("ss")));
  const peer = await (await findPeer)(own, listening);
  if (Number.isSafeInteger(peer.inode) && peer.inode > 0) return peer;
  throw new Failure("host/sockets", `the kernel knows no peer of socket ${String(own.inode)}`);
}

/**
 * The names of the abstract sockets of this network namespace, by inode, one character a byte (unix(7)).
 *
 * Anybody may bind a name with newlines, and so forge rows for the inodes of others: an inode then has
 * several names, and which is its own isn't to be seen here.
 */
export function abstractNames(part = " @"): ReadonlyMap<number, readonly string[]> {
  const names = new Map<number, string[]>();
  for (const line of readProcLines("/proc/self/net/unix", part)) {
    const [, inode, name] = row.exec(line) ?? [];
    if (name === undefined) continue;
    names.set(Number(inode), [...(names.get(Number(inode)) ?? []), name]);
  }
  return names;
}

// Num RefCount Protocol Flags Type St Inode @NAME
const row = /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ +([0-9]+) @(.*)$/u;

/** Whether a process has the socket with that inode open. */
export function holdsSocket(pid: number, inode: number): boolean {
  const directory = `/proc/${String(pid)}/fd`;
  const wanted = `socket:[${String(inode)}]`;
  try {
    return readdirSync(directory).some((name) => linkTarget(`${directory}/${name}`) === wanted);
  } catch {
    return false;
  }
}

/** The socket that is this process's descriptor. @throws Failure `host/sockets` */
export function ownSocket(descriptor: number): OwnSocket {
  const inode = /^socket:\[([0-9]+)\]$/u.exec(
    linkTarget(`/proc/self/fd/${String(descriptor)}`),
  )?.[1];
  if (inode !== undefined) return { inode: Number(inode), descriptor };
  throw new Failure("host/sockets", `descriptor ${String(descriptor)} is no socket`);
}
