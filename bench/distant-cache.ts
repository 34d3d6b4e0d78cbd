// A binary cache in memory, in a thread of its own, that answers as one does to which the way there and back takes
// `workerData` milliseconds. Says its port; told anything, it forgets what it has, and says so.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

const objects = new Map<string, Buffer>();
const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    void pause(workerData as number).then(() => {
      const { method = "", url = "" } = request;
      if (method === "PUT") objects.set(url, Buffer.concat(pieces));
      const found = objects.get(url);
      response.writeHead(found === undefined ? 404 : 200);
      response.end(method === "GET" ? found : undefined);
    });
  });
}).listen(0, "127.0.0.1");
await once(server, "listening");
parentPort?.postMessage((server.address() as AddressInfo).port);
parentPort?.on("message", () => {
  objects.clear();
  parentPort?.postMessage("empty");
});
