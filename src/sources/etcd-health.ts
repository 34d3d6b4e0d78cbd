import { request as requestPlain, type IncomingMessage } from "node:http";
import { request as requestEncrypted, type RequestOptions } from "node:https";
import { Failure } from "../failure.ts";
import { errorCode } from "../host/error-code.ts";
import { certificateFailure } from "./etcd-certificates.ts";
import type { EtcdSettings } from "./etcd-settings.ts";
import type { MemberState } from "./source.ts";

/**
 * How each member is by itself, asked at once, each within the deadline. Its clock, and whether it has a leader
 * and no alarm, etcd tells over HTTP alone, and to everybody.
 */
export function examineMembers(settings: EtcdSettings): Promise<MemberState[]> {
  return Promise.all(settings.endpoints.map((endpoint) => examineMember(settings, endpoint)));
}

async function examineMember(settings: EtcdSettings, endpoint: string): Promise<MemberState> {
  const { file, deadlineMs } = settings;
  try {
    const { statusCode, headers } = await ask(settings, `${endpoint}/health`);
    const time = new Date(headers.date ?? "");
    const state = Number.isNaN(time.getTime()) ? {} : { time };
    if (statusCode !== 503) return state;
    const message = `etcd:${file}: ${endpoint} says that it has no leader, or an alarm`;
    const hint = "see 'etcdctl endpoint health --cluster' and 'etcdctl alarm list'";
    return { ...state, failure: new Failure("source/unreachable", message, hint) };
  } catch (error) {
    const certificate = await certificateFailure(settings, endpoint);
    if (certificate !== undefined) return { failure: certificate };
    const isLate = error instanceof Error && error.name === "AbortError";
    const what = isLate
      ? `doesn't answer within ${String(deadlineMs / 1000)} s`
      : `can't be reached (${errorCode(error)})`;
    const code = isLate ? "source/timeout" : "source/unreachable";
    return { failure: new Failure(code, `etcd:${file}: ${endpoint} ${what}`) };
  }
}

/** The head of an answer; nothing more of it is read. */
function ask({ tls, deadlineMs }: EtcdSettings, url: string): Promise<IncomingMessage> {
  const options: RequestOptions = { agent: false, signal: AbortSignal.timeout(deadlineMs) };
  if (tls !== undefined) options.ca = tls.ca;
  if (tls?.certificate !== undefined) options.cert = tls.certificate;
  if (tls?.certificateKey !== undefined) options.key = tls.certificateKey;
  const request = tls === undefined ? requestPlain : requestEncrypted;
  return new Promise((resolve, reject) => {
    const asking = request(url, options, (response) => {
      response.on("error", () => undefined);
      response.destroy();
      resolve(response);
    });
    asking.on("error", reject);
    asking.end();
  });
}
