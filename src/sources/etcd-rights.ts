import type { Members } from "./etcd.ts";
import { Failure, type FailureCode } from "../failure.ts";
import { nameOf } from "./etcd-user.ts";

/** A request that would be refused to whoever hasn't the right, and that changes nothing. */
export async function mayChange(
  members: Members,
  prefix: string,
  beginning: string,
): Promise<boolean> {
  const key = Buffer.from(`${prefix}/${beginning}`);
  const range_end = Buffer.from(key);
  range_end[range_end.length - 1] = (range_end.at(-1) ?? 0) + 1;
  // Rights are looked at for both branches; no key has a version below 0, so that neither does anything.
  const never = { key, target: "Version" as const, result: "Less" as const, version: 0 };
  try {
    await members.ask(`ask who may write ${beginning}`, ({ client, options }) =>
      client.kv.txn(
        { compare: [never], success: [{ request_delete_range: { key, range_end } }] },
        options,
      ),
    );
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === "source/forbidden") return false;
    throw error;
  }
}

/** How an etcd answers that doesn't say what a user may. */
const unsaid: ReadonlySet<FailureCode> = new Set([
  "source/forbidden",
  "source/authentication",
  "source/failed",
]);

/** From there on all keys, as etcd's permissions say it. */
const toTheEnd = Buffer.of(0);

/**
 * What the roles of our user grant to write besides all that begins with one of these, which etcd tells
 * everybody of himself: beginnings of paths, or of keys where they are none of ours. Nothing where it doesn't
 * say, as where it asks nobody who he is.
 */
export async function mayAlsoChange(
  members: Members,
  prefix: string,
  beginnings: readonly string[],
): Promise<string[]> {
  const name = nameOf(members.settings);
  if (name === undefined) return [];
  const tell = async <T>(act: Parameters<typeof members.ask<T>>[1]): Promise<T | undefined> => {
    try {
      return await members.ask("ask for our own roles", act);
    } catch (error) {
      if (error instanceof Failure && unsaid.has(error.code)) return undefined;
      throw error;
    }
  };
  const user = await tell(({ client, options }) => client.auth.userGet({ name }, options));
  const roles = await Promise.all(
    (user?.roles ?? []).map((role) =>
      tell(({ client, options }) => client.auth.roleGet({ role }, options)),
    ),
  );
  const expected = beginnings.map((beginning) => Buffer.from(`${prefix}/${beginning}`));
  return roles
    .flatMap((role) => role?.perm ?? [])
    .filter(({ permType }) => permType !== "Read")
    .filter(({ key, range_end }) => !expected.some((own) => isWithin(key, range_end, own)))
    .map(({ key, range_end }) => rangeName(prefix, key, range_end));
}

/** Whether all keys of a permission begin so. */
function isWithin(key: Buffer, end: Buffer, beginning: Buffer): boolean {
  if (!key.subarray(0, beginning.length).equals(beginning)) return false;
  return end.length === 0 || (!end.equals(toTheEnd) && end.compare(endOf(beginning)) <= 0);
}

/** What comes right after all that begins so. */
function endOf(beginning: Buffer): Buffer {
  const end = Buffer.from(beginning);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

function rangeName(prefix: string, key: Buffer, end: Buffer): string {
  const own = Buffer.from(`${prefix}/`);
  const isOwn = key.subarray(0, own.length).equals(own);
  const name = key.subarray(isOwn ? own.length : 0).toString();
  if (end.length === 0 || (key.length > 0 && end.equals(endOf(key)))) return name;
  return end.equals(toTheEnd) && name === "" ? "" : `${name} and what comes after it`;
}
