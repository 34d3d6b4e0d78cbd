import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram } from "../../src/host/process.ts";
import {
  acceptedAs,
  askNetlink,
  askSs,
  holdsSocket,
  peerOf,
  type Accepted,
} from "../../src/host/unix-sockets.ts";

const path = join(tmpdir(), `sealaunch-sockets-${String(process.pid)}.sock`);
const server = createServer();
beforeAll(() => once(server.listen(path), "listening"));
afterAll(() => {
  server.close();
  rmSync(path, { force: true });
});

function own(socket: Socket): Accepted {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } };
  return acceptedAs(handle.fd);
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
    const connector = program === "perl" ? process.pid : 0;
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
    sleep 60`;
  const child = spawn(perl, ["-e", script, Buffer.from(name).toString("hex"), path]);
  const [accepted] = await accepting;
  const peer = await askNetlink(perl)(own(accepted), path);
  expect(peer.name).toBe(name);
  expect(peer.connector).toBe(child.pid);
  child.kill();
  accepted.destroy();
});

it("who has connected is not told of a descriptor that has come to be another socket's", async () => {
  const [one, other] = [await connectTo(), await connectTo()];
  const { inode } = own(one.accepted);
  const { descriptor } = own(other.accepted);
  const find = askNetlink(await findProgram("perl"));
  expect((await find({ inode, descriptor }, path)).connector).toBe(0);
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
  expect(() => acceptedAs(file)).toThrow(/is no socket/u);
  closeSync(file);
});
