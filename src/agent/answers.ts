import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import type { Decision } from "../formats/decision.ts";
import { formatTime } from "../formats/fields.ts";
import type { UnitFacts } from "../host/systemd/systemd.ts";
import type { Opening } from "../launch/open.ts";
import { renderAll } from "../launch/render.ts";
import { manifestName } from "../service/delivery.ts";
import { encodeManifest } from "./manifest.ts";
import type { Wanted } from "./wanted.ts";

// What a unit gets of what was opened for it, and what is kept of that.

/** systemd's limit for one credential and for all of a unit (systemd.exec(5), SetCredential=). */
const maxTotalSize = 1024 * 1024;

/**
 * All that a unit gets, by name: what was opened, what is rendered of it, and the manifest.
 *
 * @throws Failure `credential/too-large`; `usage/invalid` for a credential of the manifest's name; whatever keeps a template from being filled in
 */
export async function answersOf(
  unit: string,
  { renders, commands }: Pick<Wanted, "renders" | "commands">,
  opened: ReadonlyMap<string, Uint8Array>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const rendered = await renderAll(renders, opened);
  const all = new Map([...opened, ...rendered]);
  const answers = new Map([...all, [manifestName, encodeManifest(commands, all)]]);
  try {
    if (all.has(manifestName)) throw namedAsManifest(unit);
    checkSize(unit, answers);
  } catch (error) {
    wipe(...rendered.values());
    throw error;
  }
  return answers;
}

/** The values that were opened, by name. */
export function valuesOf({ credentials }: Opening): ReadonlyMap<string, Uint8Array> {
  return new Map(credentials.map(({ name, value }) => [name, value]));
}

/** That a unit gets what was opened now. */
export function decisionOf(
  { unit, invocation }: UnitFacts,
  wanted: Wanted,
  opening: Opening,
  now: Date,
): Decision {
  return {
    version: 1,
    unit,
    invocation,
    at: formatTime(now),
    ...servedBy(opening),
    credentials: opening.credentials.map(({ name }) => name),
    renders: [...wanted.renders].map(([credential, { path }]) => ({ credential, template: path })),
    commands: [...wanted.commands],
    programs: wanted.programs.map(({ path }) => path),
    files: wanted.files.map(({ path }) => path),
  };
}

/** Of which bundles and payloads the opened credentials are. */
export function servedBy({
  bundles,
  credentials,
}: Opening): Pick<Decision, "bundles" | "payloads"> {
  return {
    bundles: bundles.map((bundle) => ({ ...bundle, signers: [...bundle.signers] })),
    payloads: credentials.map(({ bundle, name, payload }) => ({
      bundle,
      credential: name,
      payload,
    })),
  };
}

/** It could never be what the manifest says of it. */
function namedAsManifest(unit: string): Failure {
  return new Failure(
    "usage/invalid",
    `${unit} would get a credential called ${manifestName}, as the one that says what must have arrived`,
    "name the others with --credential NAME, or seal it under another name",
  );
}

/** Returns if systemd delivers as much. @throws Failure `credential/too-large` */
function checkSize(unit: string, answers: ReadonlyMap<string, Uint8Array>): void {
  const size = [...answers.values()].reduce((sum, { length }) => sum + length, 0);
  if (size <= maxTotalSize) return;
  throw new Failure(
    "credential/too-large",
    `the credentials of ${unit} have together over ${String(maxTotalSize)} bytes, which systemd doesn't deliver`,
    "ask for fewer of them with --credential NAME, or let the service be several units",
  );
}
