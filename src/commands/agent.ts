import { makePlace } from "../agent/decisions.ts";
import { createStarts } from "../agent/starts.ts";
import { agentSocket, serve } from "../agent/server.ts";
import { createMemory } from "../cluster/memory.ts";
import { readIdentity, readNode } from "../cluster/configuration.ts";
import type { Context } from "./context.ts";

/** More rosters, pools and entries than a node has to do with, and statements than it starts. */
const maxRemembered = 1024;

/**
 * Serves credentials to the units of this machine until it is told to stop.
 *
 * @throws Failure `usage/invalid` if systemd didn't hand over the listening socket
 */
export async function agent(context: Context): Promise<void> {
  const descriptor = context.handedSocket();
  await makePlace();
  const starts = createStarts({
    memory: createMemory(maxRemembered),
    node: () => readNode(context.configuration),
    identity: ({ configuration }) => readIdentity(configuration.identity),
    realise: () => Promise.resolve(),
  });
  const server = await serve(descriptor, starts, (line) => {
    context.warn(line);
  });
  context.print(`answers on ${agentSocket}`);
  await context.told();
  await server.close();
  await starts.settle();
}
