import type { Located } from "../cluster/configuration.ts";
import { wipe } from "../crypto/bytes.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import type { Decision } from "../formats/decision.ts";
import { requireFile, requireProgram, requireStored } from "../host/nix/nix.ts";
import { renderAll } from "../launch/render.ts";
import { manifestName } from "../service/delivery.ts";
import type { Digest } from "./digest.ts";
import { encodeManifest } from "./manifest.ts";
import { checkSize, openWanted, servedBy, type Means } from "./start.ts";
import type { Wanted } from "./wanted.ts";

/** What a start would get now. */
export interface Rehearsed {
  readonly digest: string;
  /** Of which bundles and payloads it is. */
  readonly served: Pick<Decision, "bundles" | "payloads">;
}

/**
 * What a start of a unit would get now. Nothing is decided, fetched or pinned, and the values are wiped
 * after it.
 *
 * @throws Failure whatever would keep the unit from starting
 */
export async function rehearse(
  unit: string,
  wanted: Wanted,
  node: Located<NodeConfiguration>,
  means: Means,
  now: Date,
  digest: Digest,
): Promise<Rehearsed> {
  wanted.programs.forEach(requireProgram);
  wanted.files.forEach(requireFile);
  wanted.sealed.forEach(requireStored);
  const opening = await openWanted({ ...wanted, unit, inPlace: false }, node, means, now);
  const { credentials } = opening;
  const opened = new Map(credentials.map(({ name, value }) => [name, value]));
  let rendered: ReadonlyMap<string, Uint8Array> = new Map();
  try {
    rendered = await renderAll(wanted.renders, opened);
    const all = new Map([...opened, ...rendered]);
    const answers = new Map([...all, [manifestName, encodeManifest(wanted.commands, all)]]);
    checkSize(unit, answers);
    return { digest: digest(answers), served: servedBy(opening) };
  } finally {
    wipe(...opened.values(), ...rendered.values());
  }
}
