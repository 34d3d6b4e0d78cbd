import { Failure } from "../../failure.ts";
import type { Context } from "../context.ts";
import { openSubject, type Subject } from "./subject.ts";

/** What `inspect` is asked besides what it is about. */
export interface InspectOptions {
  readonly between?: readonly string[];
  readonly since?: string;
  readonly node?: string;
  readonly floor?: string;
}

/** Answers the one question that was asked of a bundle, or of those at a path. */
export async function runInspect(
  context: Context,
  what: string,
  { between, since, node, floor: least }: InspectOptions,
): Promise<void> {
  if ([between, since, node].filter((flag) => flag !== undefined).length > 1) {
    throw new Failure("usage/invalid", "--between, --since and --node each ask something else");
  }
  const floor = parseFloor(least);
  const subject = await openSubject(context, what);
  const isOfNewest = since !== undefined || between !== undefined;
  if (isOfNewest && (subject.place !== undefined || least !== undefined)) {
    throw new Failure(
      "usage/invalid",
      "--since and --between are asked of a bundle, not of one generation or a floor",
      "name the bundle, or the folder above that generation",
    );
  }
  if (since !== undefined) {
    const { inspectChanges } = await import("./changes.ts");
    await inspectChanges(context, subject, since);
  } else if (between !== undefined) {
    const { inspectHistory } = await import("./history.ts");
    await inspectHistory(context, subject, between);
  } else if (node !== undefined) {
    const { inspectNode } = await import("./node.ts");
    await inspectNode(context, subject, node, floor);
  } else if (least === undefined && (subject.bundles.length > 1 || isListed(context, subject))) {
    const { inspectMany } = await import("./many.ts");
    await inspectMany(context, subject);
  } else {
    const { inspect } = await import("./inspect.ts");
    await inspect(context, subject, floor);
  }
}

/** For programs a folder is a list, however many it has; people are told more of one. */
const isListed = ({ json }: Context, { isFolder }: Subject): boolean => json && isFolder;

function parseFloor(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^[1-9][0-9]{0,14}$/u.test(text)) return Number(text);
  throw new Failure("usage/invalid", `${JSON.stringify(text.slice(0, 20))} is no generation`);
}
