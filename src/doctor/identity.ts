import { access } from "node:fs/promises";
import type { Located } from "../cluster/configuration.ts";
import { identityCredential } from "../cluster/identities.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { showSettings } from "../host/systemd/settings.ts";

/** Where systemd looks for encrypted credentials, in its order (systemd.exec(5), LoadCredentialEncrypted=). */
const stores = [
  "/etc/credstore.encrypted",
  "/run/credstore.encrypted",
  "/usr/local/lib/credstore.encrypted",
  "/usr/lib/credstore.encrypted",
];

/**
 * The file that the agent's identity comes from: what its unit loads, or else what node.json names.
 *
 * @param agent - the agent's unit
 * @throws Failure `systemd/unavailable`
 */
export async function identityPath(
  { configuration }: Located<NodeConfiguration>,
  agent: string,
): Promise<string> {
  const { loadEncrypted } = await showSettings(agent);
  const from = loadEncrypted.find(({ name }) => name === identityCredential)?.from;
  if (from === undefined) return configuration.identity;
  const places = from.startsWith("/") ? [from] : stores.map((store) => `${store}/${from}`);
  for (const place of places) {
    const isThere = await access(place).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  return configuration.identity;
}
