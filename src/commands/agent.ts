import { setFlagsFromString } from "node:v8";
import { makePlace } from "../agent/decisions.ts";
import { createRealise } from "../agent/closures.ts";
import { tidy } from "../agent/tidying.ts";
import { createDigest } from "../agent/digest.ts";
import { watchServices } from "../agent/watching.ts";
import { createStarts } from "../agent/starts.ts";
import { serve } from "../agent/server.ts";
import { createMemory } from "../cluster/memory.ts";
import { readNode, type Located } from "../cluster/configuration.ts";
import { openOutbox } from "../cluster/node-source.ts";
import { readNodeIdentities } from "../cluster/identities.ts";
import { clearOutbox } from "../cluster/mirror/outbox.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { agentSocket } from "../service/delivery.ts";
import { readWrapper } from "../host/package.ts";
import { openMirror } from "../sources/mirror.ts";
import type { Context } from "./context.ts";

const tidyAfterMs = 2_000;
const tidyEveryMs = 60_000;

/** More rosters, pools and entries than a node has to do with, and statements than it starts. */
const maxRemembered = 1024;

/**
 * Serves credentials to the units of this machine until it is told to stop.
 *
 * @throws Failure `usage/invalid` if systemd didn't hand over the listening socket
 */
export async function agent(context: Context): Promise<void> {
  const descriptor = context.handedSocket();
  if (descriptor === undefined) {
    throw new Failure(
      "usage/invalid",
      "the agent is handed its socket by systemd, and was handed none",
      "systemctl start sealaunch-agent.socket",
    );
  }
  // What hasn't run for a while is else forgotten, and compiled anew in the very start that needs it.
  setFlagsFromString("--no-flush-bytecode");
  const memory = createMemory(maxRemembered);
  const { CREDENTIALS_DIRECTORY: own } = context.environment;
  const means = {
    memory,
    node: () => readNode(context.configuration),
    identities: (node: Located<NodeConfiguration>) => readNodeIdentities(node, own, memory),
    realise: createRealise(await readWrapper()),
  };
  const digest = createDigest();
  const starts = createStarts(means, digest);
  await makePlace();
  const keepTidy = async (): Promise<void> => {
    const { configuration } = await readNode(context.configuration);
    await tidy(configuration.state, configuration.keepClosures, new Date());
    const { mirror } = configuration;
    if (mirror !== undefined)
      await clearOutbox(await openOutbox(configuration), openMirror(mirror));
  };
  const tidyOrWarn = (): void => {
    keepTidy().catch((error: unknown) => {
      context.warn(error instanceof Error ? error.message : "tidying failed");
    });
  };
  // After the starts that it was started for.
  setTimeout(tidyOrWarn, tidyAfterMs).unref();
  const tidying = setInterval(tidyOrWarn, tidyEveryMs);
  const ending = new AbortController();
  void watchServices(
    means,
    { ...starts, digest },
    (line) => {
      context.warn(line);
    },
    ending.signal,
  );
  const server = await serve(descriptor, starts, (line) => {
    context.warn(line);
  });
  context.print(`answers on ${agentSocket}`);
  await context.told();
  clearInterval(tidying);
  ending.abort();
  await server.close();
  await starts.settle();
}
