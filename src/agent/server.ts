import { createServer, type Socket } from "node:net";
import { asFailure, Failure } from "../failure.ts";
import { ownSocket } from "../host/unix-sockets.ts";
import { agentSocket } from "../service/delivery.ts";
import { createIdentify, isStillAsking, type Asker, type Identify } from "./asker.ts";
import type { Starts } from "./starts.ts";

/** Node's own default lets the kernel refuse what a booting machine asks for at once. */
const backlog = 4096;

// The protocol has no word for "no": an empty answer is an empty credential, and the start goes on.
// More than systemd takes is the one answer that ends it, with 243/CREDENTIALS.
const refusal = Buffer.alloc(
  1024 * 1024 + 4096,
  "refused by sealaunch: journalctl -u has the reason\n",
);

/** A server that runs. */
export interface Server {
  /** No further connection is taken; after it, those that were taken are answered. */
  close(): Promise<void>;
}

/**
 * After it, every connection to the listening socket is answered with the credential that its asker
 * may have, or with a refusal.
 *
 * @param descriptor - of the listening socket, from systemd
 * @param log - takes a line for the agent's own journal
 */
export async function serve(
  descriptor: number,
  starts: Starts,
  log: (line: string) => void,
): Promise<Server> {
  const open = new Set<Promise<void>>();
  const { inode } = ownSocket(descriptor);
  const identify = createIdentify({ path: agentSocket, inode }, (facts) => {
    starts.foresee(facts);
  });
  // systemd closes its writing half before it reads.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const answering = answer(socket, identify, starts, log).finally(() => open.delete(answering));
    open.add(answering);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd: descriptor }, backlog, resolve);
  });
  return {
    close: async () => {
      server.close();
      while (open.size > 0) await Promise.all(open);
    },
  };
}

async function answer(
  socket: Socket,
  identify: Identify,
  starts: Starts,
  log: (line: string) => void,
): Promise<void> {
  // Nothing is read: what the asker wants stands in the name of its socket.
  socket.on("error", () => undefined);
  socket.resume();
  let asker: Asker | undefined;
  try {
    asker = await identify(ownSocket(descriptorOf(socket)));
    const bytes = credentialFor(asker, (await starts.get(asker)).answers);
    if (!isStillAsking(asker)) {
      throw new Failure(
        "agent/unknown-asker",
        `${asker.unit} is no longer being ${asker.isRefresh ? "reloaded" : "started"}`,
      );
    }
    await finish(socket, bytes);
  } catch (error) {
    const failure = asFailure(error);
    await finish(socket, refusal);
    if (asker === undefined) log(failure.message);
    else await starts.refuse(asker, failure);
  }
}

function credentialFor(
  { credential, unit }: Asker,
  answers: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const bytes = answers.get(credential);
  if (bytes !== undefined) return bytes;
  throw new Failure(
    "credential/missing",
    `${unit} asks for credential ${credential}, and its bundles and options give it only ${[...answers.keys()].join(", ")}`,
    `take LoadCredential=${credential}: out of the unit, or seal the credential`,
  );
}

/** After it, the bytes are the asker's or the asker is gone. */
function finish(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => {
      resolve();
    });
    socket.end(bytes);
  });
}

/** Node has no public way to an accepted socket's descriptor (docs/decisions/0016). */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { readonly fd?: number } };
  if (typeof handle?.fd === "number" && handle.fd >= 0) return handle.fd;
  throw new Failure("host/sockets", "a connection ended before it was looked at");
}
