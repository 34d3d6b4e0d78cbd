import { resolve } from "node:path";
import { readIdentity } from "../../cluster/identities.ts";
import { textOf, wipe } from "../../crypto/bytes.ts";
import { parseRecipient, type Recipient } from "../../crypto/recipient.ts";
import { isUsable } from "../../crypto/xwing.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import type { RosterOperator } from "../../formats/records/roster.ts";
import { readRegularFile } from "../../host/files.ts";
import type { Context } from "../context.ts";

const maxFileSize = 64 * 1024;
const defaultName = "operator";

/**
 * The operators that `--operator` names, in the order of records.
 *
 * @param texts - `NAME=RECIPIENT`, `NAME=FILE`, or either without `NAME=`; FILE holds a recipient or
 *   an identity
 * @throws Failure `usage/invalid` if there is none or a name twice; `usage/bad-name`,
 *   `recipient/malformed`, `identity/…`
 */
export async function readOperators(
  context: Context,
  texts: readonly string[],
): Promise<RosterOperator[]> {
  if (texts.length === 0) {
    throw new Failure(
      "usage/invalid",
      "a cluster needs an operator, who can open everything when a node can't",
      "sealaunch identity create operator.identity, then sealaunch init --operator operator.identity",
    );
  }
  const operators = await Promise.all(texts.map((text) => readOperator(context, text)));
  operators.sort((a, b) => (a.name < b.name ? -1 : 1));
  const twice = operators.find(({ name }, index) => operators[index + 1]?.name === name);
  if (twice === undefined) return operators;
  throw new Failure(
    "usage/invalid",
    `two operators are called ${twice.name}`,
    "name them: --operator NAME=RECIPIENT",
  );
}

async function readOperator(context: Context, text: string): Promise<RosterOperator> {
  const [, name, value = text] = /^([^=/]+)=(.*)$/u.exec(text) ?? [];
  return {
    name: parseName("operator", name ?? defaultName),
    recipient: await readRecipient(context, value),
  };
}

async function readRecipient(context: Context, text: string): Promise<Recipient> {
  const recipient = parseRecipient(text) ?? (await recipientInFile(context, text));
  if (isUsable(recipient)) return recipient;
  throw new Failure("recipient/malformed", `recipient ${text.slice(0, 20)}… is no key`);
}

async function recipientInFile(context: Context, file: string): Promise<Recipient> {
  const path = resolve(context.directory, file);
  const bytes = text(file) ? undefined : await readRegularFile(path, maxFileSize);
  const lines = (bytes === undefined ? "" : (textOf(bytes) ?? "")).split("\n");
  if (bytes !== undefined) wipe(bytes);
  const found = lines.map((line) => parseRecipient(line.trim())).find((line) => line !== undefined);
  if (found !== undefined) return found;
  if (!lines.some((line) => line.startsWith("AGE-SECRET-KEY-PQ-1"))) {
    throw new Failure(
      "recipient/malformed",
      `${file.slice(0, 40)} is no recipient age1pq1…, and no file that holds one`,
    );
  }
  const identity = await readIdentity(path);
  wipe(identity.seed);
  return identity.recipient;
}

/** Whether something meant as a recipient was mistyped, so that no file of that name is looked for. */
const text = (value: string): boolean => value.startsWith("age1");
