import { isAbsolute, join } from "node:path";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { openSource } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";

/**
 * Where a node reads, and where what it writes is taken from: its mirror and its outbox, or the source
 * itself where no mirror is configured.
 *
 * @throws Failure `mirror/none` if it is reached by the network and there is no mirror; `configuration/invalid`,
 *   `source/unknown`
 */
export async function openNodeSource({
  configuration,
  directory,
}: {
  readonly configuration: NodeConfiguration;
  readonly directory: string;
}): Promise<Source> {
  const { state, mirror } = configuration;
  requireAbsolute("state", state);
  if (mirror === undefined) {
    if (!configuration.source.startsWith("etcd:"))
      return openSource(configuration.source, directory);
    throw new Failure(
      "mirror/none",
      `source ${configuration.source} is reached by the network, which nothing parses beside this node's identity`,
    );
  }
  requireAbsolute("mirror", mirror);
  const [{ openMirror }, { writeInto }, outbox] = await Promise.all([
    import("../sources/mirror.ts"),
    import("../sources/outbox.ts"),
    openOutbox(configuration),
  ]);
  return writeInto(outbox, openMirror(mirror));
}

/** What this node has written for the source, and nobody has taken there yet, as a source. */
export function openOutbox({ state }: NodeConfiguration): Promise<Source> {
  return openSource(`dir:${join(state, "outbox")}`, "/");
}

function requireAbsolute(field: string, path: string): void {
  if (isAbsolute(path)) return;
  throw new Failure("configuration/invalid", `${field}: ${path} is not absolute`);
}
