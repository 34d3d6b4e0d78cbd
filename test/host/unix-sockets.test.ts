import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readlinkSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram } from "../../src/host/process.ts";
import {
  askNetlink,
  askSs,
  holdsSocket,
  inodeOf as inodeOfDescriptor,
  peerOf,
} from "../../src/host/unix-sockets.ts";

const path = join(tmpdir(), `sealaunch-sockets-${String(process.pid)}.sock`);
const server = createServer();
beforeAll(() => once(server.listen(path), "listening"));
afterAll(() => {
  server.close();
  rmSync(path, { force: true });
});

function inodeOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } };
  return Number(/[0-9]+/u.exec(readlinkSync(`/proc/self/fd/${String(handle.fd)}`))?.[0]);
}

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
    const peers = await Promise.all(pairs.map(({ accepted }) => find(inodeOf(accepted), path)));
    expect(peers).toEqual(pairs.map(({ asking }) => ({ inode: inodeOf(asking), name: "" })));
    for (const { asking, accepted } of pairs) for (const end of [asking, accepted]) end.destroy();
  });

  it("is none where there is no such socket", async () => {
    const find = ask(await findProgram(program));
    expect((await find(4_000_000_000, path)).inode).toBeOneOf([0, Number.NaN]);
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
  expect((await askNetlink(perl)(inodeOf(accepted), path)).name).toBe(name);
  child.kill();
  accepted.destroy();
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
  await expect(peerOf(path, 4_000_000_000)).rejects.toMatchObject({ code: "host/sockets" });
  const file = openSync("/dev/null", "r");
  expect(() => inodeOfDescriptor(file)).toThrow(/is no socket/u);
  closeSync(file);
});
