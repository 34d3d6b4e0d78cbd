import { dirname, join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { mirrorAgeFailure, readSynced } from "../cluster/mirror/age.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { bundlesFolder, rosterFolder } from "../formats/paths.ts";
import { firstUnreadable } from "../host/bare-root.ts";
import { factsOf } from "../host/file-facts.ts";
import { listDirectory } from "../host/files.ts";
import { showAll } from "../host/systemd/systemd.ts";
import { error, warning, type Finding } from "../service/finding.ts";

/** What a setting of the agent's hides from it, in the sense of systemd.exec(5). */
const hiding = [
  { setting: "ProtectHome", directories: ["/home", "/root", "/run/user"] },
  { setting: "PrivateTmp", directories: ["/tmp", "/var/tmp"] },
] as const;

/** Whether the agent, who has less rights than root, can read what root has just read, and how old that is. */
export async function examineSource(
  { source, now }: Cluster,
  configuration: NodeConfiguration,
  agent: string,
): Promise<Finding[]> {
  const { mirror } = configuration;
  if (mirror === undefined) {
    const folders = [rosterFolder, bundlesFolder].map((folder) => dirname(source.place(folder)));
    return examinePlaces(folders, agent);
  }
  const old = mirrorAgeFailure(configuration, await readSynced(source, configuration), now);
  const isRoots = (await factsOf(mirror))?.uid === 0;
  const ownership = new Failure(
    "mirror/root",
    `${mirror} belongs to root, and so does what fills it`,
  );
  return [
    ...(await examinePlaces(await mirrorFiles(mirror), agent)),
    ...(isRoots ? [warning(ownership)] : []),
    ...(old === undefined ? [] : [warning(old)]),
  ];
}

/** What the agent reads of a mirror: not what sync keeps there for itself. */
async function mirrorFiles(mirror: string): Promise<string[]> {
  const names = await listDirectory(mirror);
  return names.filter((name) => !name.startsWith(".")).map((name) => join(mirror, name));
}

async function examinePlaces(places: readonly string[], agent: string): Promise<Finding[]> {
  const properties = await showAll(agent, "Service");
  const hint = "keep it in /srv or /var/lib, root's own and readable: chown -R root: DIR";
  for (const { setting, directories } of hiding) {
    const value = properties.get(setting);
    const isSet = value === true || value === "yes" || value === "tmpfs";
    const hidden = places.find((place) =>
      directories.some((directory) => place.startsWith(`${directory}/`)),
    );
    if (!isSet || hidden === undefined) continue;
    const what = `${hidden} can't be seen by the agent, whose unit has ${setting}=yes`;
    return [error(new Failure("source/unreadable", what, hint))];
  }
  const unreadable = await firstUnreadable(places);
  if (unreadable === undefined) return [];
  const what = `${unreadable} can't be read by the agent, which is root without root's capabilities`;
  return [error(new Failure("source/unreadable", what, hint))];
}
