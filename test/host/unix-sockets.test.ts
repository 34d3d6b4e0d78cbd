import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram } from "../../src/host/process.ts";
import {
  ownSocket,
  askNetlink,
  askSs,
  holdsSocket,
  peerOf,
  type OwnSocket,
} from "../../src/host/unix-sockets.ts";

/** Whether the kernel tells a process from one that has its number later. */
const [major = 0, minor = 0] = release().split(".").map(Number);
const isSame = major > 6 || (major === 6 && minor >= 5);

const path = join(tmpdir(), `sealaunch-sockets-${String(process.pid)}.sock`);
const server = createServer();
beforeAll(() => once(server.listen(path), "listening"));
afterAll(() => {
  server.close();
  rmSync(path, { force: true });
});

function own(socket: Socket): OwnSocket {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } };
  return ownSocket(handle.fd);
}

const inodeOf = (socket: Socket): number => own(socket).inode;

/** A connection: both its ends. */
async function connectTo(): Promise<{ asking: Socket; accepted: Socket }> {
  const accepting = once(server, "connection") as Promise<[Socket]>;
  const asking = connect(path);
  const [[accepted]] = await Promise.all([accepting, once(asking, "connect")]);
  return { asking, accepted };
}

describe.for([
  ["netlink", "perl", askNetlink],
  ["ss", "ss", askSs],
] as const)("the other end of a socket, asked of %s,", ([, program, ask]) => {
  it("is the one that connected, for each of many at once", async () => {
    const find = ask(await findProgram(program));
    const pairs: Awaited<ReturnType<typeof connectTo>>[] = [];
    while (pairs.length < 20) pairs.push(await connectTo());
    const peers = await Promise.all(pairs.map(({ accepted }) => find(own(accepted), path)));
    const connector = program === "perl" ? { pid: process.pid, isSame } : undefined;
    expect(peers).toEqual(
      pairs.map(({ asking }) => ({ inode: inodeOf(asking), name: "", connector })),
    );
    for (const { asking, accepted } of pairs) for (const end of [asking, accepted]) end.destroy();
  });

  it("is none where there is no such socket", async () => {
    const find = ask(await findProgram(program));
    expect((await find({ inode: 4_000_000_000, descriptor: 0 }, path)).inode).toBeOneOf([
      0,
      Number.NaN,
    ]);
  });
});

it("a socket's name is told to the byte, whatever rows other names make of the kernel's table", async () => {
  const perl = await findProgram("perl");
  const name = `sealaunch ${String(process.pid)}\n0: 0 0 0 0 0 7 @x\0`;
  const accepting = once(server, "connection") as Promise<[Socket]>;
  // Binds its end to the name, and waits.
  const script = `
    socket(S, 1, 1, 0) && bind(S, pack("Sa*", 1, "\\0" . pack("H*", $ARGV[0]))) or die;
    connect(S, pack("Sa*", 1, $ARGV[1])) or die;
    <STDIN>;
    exit if fork;
    sleep 60;`;
  const words = ["-e", script, Buffer.from(name).toString("hex"), path];
  const child = spawn(perl, words, { stdio: ["pipe", "ignore", "ignore"], detached: true });
  const [accepted] = await accepting;
  const peer = await askNetlink(perl)(own(accepted), path);
  expect(peer.name).toBe(name);
  expect(peer.connector).toEqual({ pid: child.pid, isSame });
  // Another one has the socket now, which may come to be one of PID 1's.
  child.stdin.end("\n");
  await once(child, "exit");
  const ended = await askNetlink(perl)(own(accepted), path);
  expect(ended.connector).toEqual({ pid: isSame ? -1 : child.pid, isSame });
  process.kill(-(child.pid ?? 0));
  accepted.destroy();
});

it("who has connected is not told of a descriptor that has come to be another socket's", async () => {
  const [one, other] = [await connectTo(), await connectTo()];
  const { inode } = own(one.accepted);
  const { descriptor } = own(other.accepted);
  const find = askNetlink(await findProgram("perl"));
  expect((await find({ inode, descriptor }, path)).connector).toBeUndefined();
  for (const end of Object.values({ ...one })) end.destroy();
  for (const end of Object.values({ ...other })) end.destroy();
});

it("a process holds the sockets that it has open, and no others", async () => {
  const { asking, accepted } = await connectTo();
  const inode = inodeOf(asking);
  expect(holdsSocket(process.pid, inode)).toBe(true);
  expect(holdsSocket(1, inode)).toBe(false);
  asking.destroy();
  accepted.destroy();
  await once(asking, "close");
  expect(holdsSocket(process.pid, inode)).toBe(false);
});

it("host/sockets: what is no socket, or has no other end, is refused", async () => {
  await expect(peerOf(path, { inode: 4_000_000_000, descriptor: 0 })).rejects.toMatchObject({
    code: "host/sockets",
  });
  const file = openSync("/dev/null", "r");
  expect(() => ownSocket(file)).toThrow(/is no socket/u);
  closeSync(file);
});
