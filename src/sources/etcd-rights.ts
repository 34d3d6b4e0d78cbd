import { request } from "node:https";
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

/** What the clock of a member shows, which etcd tells over HTTP alone; undefined if none does. */
export async function memberTime({ settings }: Members): Promise<Date | undefined> {
  const { endpoints, tls, deadlineMs } = settings;
  for (const endpoint of endpoints) {
    if (tls === undefined) break;
    const options = {
      ca: tls.ca,
      ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
      ...(tls.certificateKey === undefined ? {} : { key: tls.certificateKey }),
      timeout: Math.floor(deadlineMs / endpoints.length),
      agent: false as const,
    };
    const said = await new Promise<string | undefined>((resolve) => {
      const asking = request(`${endpoint}/version`, options, (response) => {
        response.resume();
        resolve(response.headers.date);
      });
      asking.on("error", () => {
        resolve(undefined);
      });
      asking.on("timeout", () => asking.destroy());
      asking.end();
    });
    const time = new Date(said ?? "");
    if (!Number.isNaN(time.getTime())) return time;
  }
  return undefined;
}
