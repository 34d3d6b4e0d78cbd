import { connect, type Socket } from "node:net";
import { Failure } from "../../failure.ts";
import { decodeReply, encodeCall, messageSize, type Call, type Value } from "./dbus-wire.ts";

/** systemd's own socket, which systemctl(1) uses too and which needs no message bus. */
const privateSocket = "/run/systemd/private";

const deadlineMs = 10_000;

/** A connection to PID 1, made when it is first used and again after it was lost. */
export interface Bus {
  /** What PID 1 answers. @throws Failure `systemd/unavailable` */
  call(call: Omit<Call, "destination">): Promise<readonly Value[]>;
}

interface Pending {
  readonly resolve: (values: readonly Value[]) => void;
  readonly reject: (failure: Failure) => void;
}

/** No connection is made yet. */
export function openBus(): Bus {
  let connection: Promise<Connection> | undefined;
  return {
    call: async (call) => {
      connection ??= Connection.open(() => {
        connection = undefined;
      });
      return (await connection).call({ ...call, destination: "org.freedesktop.systemd1" });
    },
  };
}

class Connection {
  private serial = 0;
  private received = Buffer.alloc(0);
  private readonly socket: Socket;
  private readonly pending = new Map<number, Pending>();

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  /** @param lost - is called once, when no further call can be answered */
  static open(lost: () => void): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(privateSocket);
      const connection = new Connection(socket);
      const end = (): void => {
        lost();
        const failure = unavailable("closes the connection");
        for (const { reject: refuse } of connection.pending.values()) refuse(failure);
        connection.pending.clear();
        reject(failure);
      };
      socket.on("error", end).on("close", end);
      socket.once("connect", () => {
        // "0" in hex: root says that it is root, and the kernel tells whether it is (SASL EXTERNAL).
        socket.write("\0AUTH EXTERNAL 30\r\nBEGIN\r\n");
      });
      let greeting = Buffer.alloc(0);
      const greet = (chunk: Buffer): void => {
        greeting = Buffer.concat([greeting, chunk]);
        const end = greeting.indexOf("\r\n");
        if (end < 0) return;
        if (!greeting.toString("latin1").startsWith("OK ")) {
          socket.destroy();
          return;
        }
        socket.off("data", greet);
        socket.on("data", (more: Buffer) => {
          connection.receive(more);
        });
        connection.receive(greeting.subarray(end + 2));
        // A connection that nobody waits for keeps no process from ending.
        socket.unref();
        resolve(connection);
      };
      socket.on("data", greet);
    });
  }

  call(call: Call): Promise<readonly Value[]> {
    const serial = ++this.serial;
    this.socket.ref();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.forget(serial);
        reject(unavailable(`doesn't answer within ${String(deadlineMs / 1000)} s`));
      }, deadlineMs);
      this.pending.set(serial, {
        resolve: (values) => {
          clearTimeout(timer);
          resolve(values);
        },
        reject: (failure) => {
          clearTimeout(timer);
          reject(failure);
        },
      });
      this.send(encodeCall(call, serial));
    });
  }

  /** What is sent in one turn goes out in one write. */
  private send(message: Buffer): void {
    if (this.socket.writableCorked === 0) {
      this.socket.cork();
      process.nextTick(() => {
        this.socket.uncork();
      });
    }
    this.socket.write(message);
  }

  private forget(serial: number): void {
    this.pending.delete(serial);
    if (this.pending.size === 0) this.socket.unref();
  }

  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    while (this.received.length >= 16) {
      const size = messageSize(this.received);
      if (this.received.length < size) return;
      const message = this.received.subarray(0, size);
      this.received = this.received.subarray(size);
      this.settle(message);
    }
  }

  private settle(message: Buffer): void {
    try {
      const reply = decodeReply(message);
      const waiting = reply === undefined ? undefined : this.pending.get(reply.serial);
      if (reply === undefined || waiting === undefined) return;
      this.forget(reply.serial);
      if (reply.error === undefined) waiting.resolve(reply.values);
      else waiting.reject(unavailable(`answers ${reply.error}`));
    } catch {
      this.socket.destroy();
    }
  }
}

function unavailable(what: string): Failure {
  return new Failure("systemd/unavailable", `PID 1 ${what} (${privateSocket})`);
}
