import type { Members } from "./etcd.ts";
import { Failure } from "../failure.ts";

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
