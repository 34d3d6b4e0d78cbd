import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `agent`: the node's service that opens bundles. */
export function addAgent(program: Command): void {
  const command = program
    .command("agent")
    .description(
      "Serve the credentials of this node's units, as systemd asks for them. Started by " +
        "sealaunch-agent.socket, not by hand.",
    );
  addGuidance(command, {
    examples: ["sealaunch agent --config /etc/sealaunch/node.json"],
    needsSystemd: true,
    runsOn: "node, as root, by systemd",
    needs: "the node's identity",
  });
  command.action(async () => {
    const { agent } = await import("../commands/agent.ts");
    await agent(createContext(command));
  });
}
