import { connect, createServer, type Socket } from "node:net";

// Who opens with the node's identity asks here for bundles that the mirror lacks, and goes on by what the
// mirror has then. Names go one way and one word comes back, so that nothing is parsed of what the network
// said. Names are one a line, and what asks ends its half.

const answers = { done: "done\n", failed: "failed\n" } as const;

/** More names than a unit could have in its command. */
const maxRequestSize = 64 * 1024;
const requestWithinMs = 5_000;
const maxWaiting = 256;

/** Whether sync has brought what was asked for. */
export type Bring = (bundles: readonly string[]) => Promise<boolean>;

/**
 * Whether sync says that it has read the source since, and could judge all that it brought. False also if
 * it isn't there, or takes longer.
 *
 * @param path - of its socket
 */
export function requestSync(
  path: string,
  bundles: readonly string[],
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    let answer = "";
    const finish = (isDone: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isDone);
    };
    const timer = setTimeout(finish, timeoutMs, false);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      answer += text;
      if (answer.length > answers.failed.length) finish(false);
    });
    socket.on("error", () => {
      finish(false);
    });
    socket.on("end", () => {
      finish(answer === answers.done);
    });
    socket.end(bundles.map((bundle) => `${bundle}\n`).join(""));
  });
}

/**
 * After it, whoever connects to the listening socket is answered once `bring` has ended for what he asks.
 *
 * @param isName - what else stands in a line ends the connection
 * @returns takes no further connection, and drops those that wait
 */
export function serveSync(
  descriptor: number,
  isName: (line: string) => boolean,
  bring: Bring,
): () => void {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => undefined);
    if (open.size > maxWaiting) socket.destroy();
    else answer(socket, isName, bring);
  });
  server.listen({ fd: descriptor });
  return () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
}

function answer(socket: Socket, isName: (line: string) => boolean, bring: Bring): void {
  let text = "";
  const timer = setTimeout(() => socket.destroy(), requestWithinMs);
  socket.setEncoding("latin1");
  socket.on("data", (piece: string) => {
    text += piece;
    if (text.length > maxRequestSize) socket.destroy();
  });
  socket.on("end", () => {
    clearTimeout(timer);
    const names = text.split("\n").slice(0, -1);
    if (!names.every(isName)) socket.destroy();
    else void bring(names).then((isDone) => socket.end(isDone ? answers.done : answers.failed));
  });
  socket.on("close", () => {
    clearTimeout(timer);
  });
}
