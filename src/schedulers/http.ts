import { request as overHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as overHttps } from "node:https";
import { Failure } from "../failure.ts";
import { printable } from "../printable.ts";

/** Where a scheduler's API is. */
export interface Endpoint {
  /** The scheduler, as messages call it. */
  readonly scheduler: string;
  /** `http://HOST:PORT`, `https://HOST:PORT`, or `unix:/PATH` of a socket. */
  readonly url: string;
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
 * What the API answers to one request, whatever that is.
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
  const { scheduler, url, headers } = endpoint;
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
    } as const;
    return await exchange(url, path, options, sent);
  } catch (error) {
    const { code, name, message } = error as NodeJS.ErrnoException;
    const why = name === "TimeoutError" || name === "AbortError" ? "no answer" : (code ?? message);
    throw new Failure(
      "scheduler/unavailable",
      `${scheduler} at ${url.replace(/\/\/[^@/]*@/u, "//")} doesn't answer ${method} ${path}: ${printable(why)}`,
    );
  }
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
      : (url.startsWith("https:") ? overHttps : overHttp)(
          new URL(url.replace(/\/$/u, "") + path),
          options,
          answered,
        );
    request.on("error", reject);
    request.end(body);
  });
}

/** What an API says that answers with text, on one line, for a message. */
export function textOfReply({ body }: Reply): string {
  const [line = ""] = new TextDecoder().decode(body.subarray(0, 1000)).trim().split("\n");
  return printable(line.slice(0, 300));
}
