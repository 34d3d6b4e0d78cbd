import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  decodeReply,
  encodeCall,
  messageSize,
  type Reply,
} from "../../src/host/systemd/dbus-wire.ts";

// dbus-daemon(1) is the second implementation: what it takes is well-formed, and what it answers is real.

let directory: string;
let daemon: ChildProcess;
let socket: Socket;
let received = Buffer.alloc(0);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sealaunch-bus-"));
  const path = join(directory, "bus");
  const words = ["--session", "--nofork", "--nopidfile", "--print-address"];
  daemon = spawn("dbus-daemon", [...words, `--address=unix:path=${path}`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (daemon.stdout !== null) await once(daemon.stdout, "data");
  socket = connect(path);
  const uid = Buffer.from(String(process.getuid?.())).toString("hex");
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  await once(socket, "data");
  socket.write("BEGIN\r\n");
  socket.on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
});
afterAll(async () => {
  socket.destroy();
  daemon.kill();
  await once(daemon, "exit");
  rmSync(directory, { recursive: true });
});

let serial = 0;

/** The bytes of what the bus answers to a call of its own. */
async function ask(member: string, strings: readonly string[] = []): Promise<Buffer> {
  const bus = "org.freedesktop.DBus";
  const call = { path: "/org/freedesktop/DBus", interface: bus, destination: bus, member, strings };
  socket.write(encodeCall(call, ++serial));
  for (;;) {
    if (received.length >= 16 && received.length >= messageSize(received)) {
      const message = received.subarray(0, messageSize(received));
      received = received.subarray(message.length);
      if (decodeReply(message) !== undefined) return message;
    } else await once(socket, "data");
  }
}

const reply = async (member: string, strings?: readonly string[]): Promise<Reply | undefined> =>
  decodeReply(await ask(member, strings));

describe("what a bus answers", () => {
  it("is read: strings, arrays, dictionaries of variants, booleans, numbers, bytes", async () => {
    expect(await reply("Hello")).toEqual({ serial: 1, error: undefined, values: [":1.0"] });
    const names = await reply("ListNames");
    expect(names?.values).toEqual([expect.arrayContaining(["org.freedesktop.DBus", ":1.0"])]);
    expect((await reply("NameHasOwner", [":1.0"]))?.values).toEqual([true]);
    expect((await reply("NameHasOwner", [":1.77"]))?.values).toEqual([false]);
    const uid = process.getuid?.();
    expect((await reply("GetConnectionUnixUser", [":1.0"]))?.values).toEqual([uid]);
    const [credentials] = (await reply("GetConnectionCredentials", [":1.0"]))?.values ?? [];
    expect(credentials).toEqual(
      expect.arrayContaining([
        ["UnixUserID", uid],
        ["ProcessID", process.pid],
      ]),
    );
    expect((await reply("GetId"))?.values).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/u)]);
    // A name that doesn't end at a multiple of four.
    expect((await reply("NameHasOwner", ["a.bc"]))?.values).toEqual([false]);
  });

  it("is an error by its name where it is one", async () => {
    expect(await reply("NoSuchMember")).toMatchObject({
      serial,
      error: "org.freedesktop.DBus.Error.UnknownMethod",
    });
    const unknown = await reply("GetConnectionUnixUser", [":1.77"]);
    expect(unknown?.error).toBe("org.freedesktop.DBus.Error.NameHasNoOwner");
  });

  it("is refused where it is cut short, or of another byte order", async () => {
    const whole = await ask("ListNames");
    for (let size = 16; size < whole.length; size++) {
      expect(() => decodeReply(whole.subarray(0, size))).toThrow(RangeError);
    }
    const other = Buffer.from(whole);
    other.write("B", 0, "latin1");
    expect(() => decodeReply(other)).toThrow(TypeError);
  });
});
