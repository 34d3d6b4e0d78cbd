import { readRoster, requireStatement } from "../../cluster/cluster.ts";
import { selectCredentials } from "../../cluster/opening.ts";
import { equalBytes, wipe } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { maxValueSize } from "../../formats/payload.ts";
import { editInMemory } from "../../host/editing.ts";
import { requireFresh } from "../../trust/freshness.ts";
import type { Context } from "../context.ts";
import { openWithFile } from "../open.ts";
import { openToSign } from "../repository.ts";
import { readAudience } from "./audience.ts";
import { seal } from "./seal.ts";
import type { SealOptions } from "./choice.ts";
import { signersOfName } from "./who-signs.ts";
import { nothingElse } from "./nothing-else.ts";
import { chooseSigner } from "../signing.ts";

/** How a credential is opened and sealed again. */
export interface EditOptions {
  /** The file of an identity that opens it; `-` for standard input. */
  readonly identity: string;
  readonly signer: string | undefined;
}

const newline = 0x0a;

/**
 * The next generation of a bundle, with what a person has made of one credential in the editor. Nothing is
 * sealed if it is as it was, or if somebody else has sealed it meanwhile.
 *
 * @throws Failure `editor/failed` if the editor fails or leaves nothing; all that `open` and `seal` do
 */
export async function edit(
  context: Context,
  name: string,
  credential: string,
  options: EditOptions,
): Promise<void> {
  const bundle = parseName("bundle", name);
  const cluster = await openToSign(context);
  const { record: roster } = await readRoster(cluster);
  requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
  const statement = await requireStatement(cluster, roster, bundle);
  const names = [credential];
  const [present] = selectCredentials(statement, names);
  if (present === undefined) return;
  // Whoever couldn't seal it would edit in vain.
  await readAudience(cluster, roster, statement.audience);
  const allowed = await signersOfName(context, roster, bundle, options.signer);
  await chooseSigner(context, allowed, options.signer, `bundle ${bundle}`);
  const what = { names, file: options.identity };
  const [opened] = await openWithFile(context, cluster, roster, statement, what);
  if (opened === undefined) return;
  const { value } = opened;
  try {
    const edited = await editInMemory(credential, value, {
      environment: context.environment,
      maxBytes: maxValueSize,
      isInputTaken: options.identity === "-",
    });
    const next = edited.subarray(0, edited.length - addedNewline(value, edited));
    if (next.length === 0) {
      wipe(edited);
      throw new Failure("editor/failed", `credential ${credential} is empty, so nothing is sealed`);
    }
    if (equalBytes(next, value)) {
      wipe(edited);
      context.print(`credential ${credential} of ${bundle} is as it was, and nothing is sealed`);
      context.result({ bundle, credential, isChanged: false });
      return;
    }
    const replaces = { credential, payload: present.payload };
    try {
      await sealEdited(context, name, next, { ...nothingElse, replaces, signer: options.signer });
    } finally {
      wipe(edited);
    }
  } finally {
    wipe(value);
  }
}

/** How often others may have sealed the bundle at the same moment. */
const maxConflicts = 3;

/** Seals what was edited, which is nowhere else: if that fails, the person may mend it first. */
async function sealEdited(
  context: Context,
  name: string,
  value: Uint8Array,
  options: Omit<SealOptions, "given"> & Required<Pick<SealOptions, "replaces">>,
): Promise<void> {
  for (let conflicts = 0; ;) {
    // Sealing wipes what it is given, if it comes that far.
    const copy = value.slice();
    const given = new Map([[options.replaces.credential, copy]]);
    try {
      // Since the command began, hours may have passed, and others may have signed.
      await seal({ ...context, now: new Date() }, name, { ...options, given });
      return;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code !== "generation/conflict") await requireAnother(context, error);
      else if (++conflicts === maxConflicts) throw error;
    } finally {
      wipe(copy);
    }
  }
}

/** Returns if the person wants to try once more. @throws Failure as it was, if not, or if nobody is there */
async function requireAnother(context: Context, failure: Failure): Promise<void> {
  const question = `${failure.message} (${failure.hint}); try again, with what was edited?`;
  await context.confirm(question).catch(() => {
    throw failure;
  });
}

/** Editors end a file with a newline, which a token doesn't have: it is none of the person's changes. */
function addedNewline(before: Uint8Array, after: Uint8Array): number {
  return before.at(-1) !== newline && after.at(-1) === newline ? 1 : 0;
}
