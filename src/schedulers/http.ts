import { request as overHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as overHttps } from "node:https";
import { Failure } from "../failure.ts";
import { retry, type Attempt } from "../host/retrying.ts";
import { printable } from "../printable.ts";

/** Where a scheduler's API is. */
export interface Endpoint {
  /** The scheduler, as messages call it. */
  readonly scheduler: string;
  /** `http://HOST:PORT`, `https://HOST:PORT`, each with a path or without, or `unix:/PATH` of a socket. */
  readonly url: string;
  /** PEM: whom to trust, and what is shown. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** Such as a token; never in a message. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an API answers. */
export interface Reply {
  readonly status: number;
  readonly body: Uint8Array;
}

const maxBody = 16 * 1024 * 1024;
const timeoutMs = 10_000;

/**
 * What the API answers to one request, whatever that is. What only asks (GET) is asked again where there is no
 * answer, or 500 or more: that changes nothing. What changes something is sent once.
 *
 * @param path - with its query, each part escaped
 * @param body - sent as JSON
 * @throws Failure `scheduler/unavailable` if there is no whole answer within ten seconds
 */
export async function ask(
  endpoint: Endpoint,
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  body?: object,
): Promise<Reply> {
  if (method !== "GET") return once(endpoint, method, path, body);
  const begun = performance.now();
  let last: Reply | undefined;
  try {
    return await retry(async (): Promise<Attempt<Reply>> => {
      try {
        last = await once(endpoint, method, path);
        if (last.status < 500) return { value: last };
      } catch (error) {
        // Who was silent once for so long isn't asked again.
        if (!(error instanceof Failure) || performance.now() - begun >= timeoutMs) throw error;
        last = undefined;
        return { failure: error };
      }
      return { failure: new Failure("scheduler/unavailable", "") };
    });
  } catch (error) {
    // How a fault is told is known to who asks.
    if (last !== undefined) return last;
    throw error;
  }
}

async function once(
  endpoint: Endpoint,
  method: string,
  path: string,
  body?: object,
): Promise<Reply> {
  const { scheduler, url, headers, tls } = endpoint;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  try {
    const options = {
      method,
      headers: {
        accept: "application/json",
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      signal: AbortSignal.timeout(timeoutMs),
      agent: false,
      ...tls,
    } as const;
    return await exchange(url, path, options, sent);
  } catch (error) {
    const { code, name, message } = error as NodeJS.ErrnoException;
    const why = name === "TimeoutError" || name === "AbortError" ? "no answer" : (code ?? message);
    throw new Failure(
      "scheduler/unavailable",
      `${scheduler} at ${url} doesn't answer ${method} ${path}: ${printable(why)}`,
      ...hintFor(why),
    );
  }
}

/** What mends a connection that certificates keep from being made, by OpenSSL's and Node's names for it. */
function hintFor(why: string): [] | [string] {
  if (!/CERT|SIGNATURE|ERR_OSSL|ERR_SSL|ERR_TLS|EPROTO/u.test(why)) return [];
  return ["name who signs its certificate, and yours: trustedCa, certificate in sealaunch.json"];
}

function exchange(
  url: string,
  path: string,
  options: RequestOptions,
  body: string | undefined,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      const pieces: Uint8Array[] = [];
      let size = 0;
      response.on("data", (piece: Uint8Array) => {
        size += piece.length;
        if (size > maxBody) response.destroy(new Error("the answer is too long"));
        else pieces.push(piece);
      });
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces) });
      });
    };
    const request = url.startsWith("unix:")
      ? overHttp({ ...options, socketPath: url.slice("unix:".length), path }, answered)
      : (url.startsWith("https:") ? overHttps : overHttp)(new URL(url + path), options, answered);
    request.on("error", reject);
    request.end(body);
  });
}

/** What an API says that answers with text, on one line, for a message. */
export function textOfReply({ body }: Reply): string {
  const [line = ""] = new TextDecoder().decode(body.subarray(0, 1000)).trim().split("\n");
  return printable(line.slice(0, 300));
}
