import type { ClientRequest, IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { Failure } from "../failure.ts";
import { errorCode } from "../host/error-code.ts";
import {
  maxObjectSize,
  mediaType,
  piecesOf,
  sizeOf,
  type Body,
  type Cache,
  type Sent,
} from "./cache.ts";
import type { Login } from "./netrc.ts";
import { retry, type Attempt } from "../host/retrying.ts";

const width = 16;

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/**
 * The cache that a server keeps under an address, and that is filled with PUT (RFC 9110 §9.3.4).
 *
 * @param patienceMs - for so long the server may say nothing and take nothing
 */
export async function openHttpCache(
  url: URL,
  login: Login | undefined,
  patienceMs: number,
): Promise<Cache> {
  const isSecure = url.protocol === "https:";
  const { Agent, request } = await (isSecure ? import("node:https") : import("node:http"));
  const agent = new Agent({ keepAlive: true, maxSockets: width });
  const name = url.href.replace(/\/$/u, "");
  const authorization =
    login === undefined
      ? {}
      : { authorization: `Basic ${btoa(`${login.user}:${login.password}`)}` };

  async function once(method: string, key: string, body?: Body, on?: Sent): Promise<Answer> {
    const headers = {
      "user-agent": "sealaunch",
      ...authorization,
      ...(body === undefined
        ? {}
        : { "content-length": sizeOf(body), "content-type": mediaType(key) }),
    };
    const sent = request(`${name}/${key}`, { method, agent, headers, timeout: patienceMs });
    sent.on("timeout", () => sent.destroy(new Error(`silent for ${String(patienceMs / 1000)} s`)));
    return converse(sent, body, on);
  }

  function send(method: string, key: string, body?: Body, on?: Sent): Promise<Answer> {
    const what = `${name}/${key}`;
    return retry(async (): Promise<Attempt<Answer>> => {
      let answer: Answer;
      try {
        answer = await once(method, key, body, on);
      } catch (error) {
        if (error instanceof Failure) throw error;
        return { failure: new Failure("cache/unreachable", `${what}: ${reasonOf(error)}`) };
      }
      const said = `${what} answers ${method} with ${String(answer.status)}`;
      if ([401, 403, 407].includes(answer.status)) throw new Failure("cache/forbidden", said);
      if ([413, 507].includes(answer.status)) throw new Failure("cache/full", said);
      if (answer.status >= 500 || [408, 425, 429].includes(answer.status))
        return { failure: new Failure("cache/failed", said) };
      const isFine = answer.status >= 200 && answer.status < 300;
      if (isFine || (answer.status === 404 && body === undefined)) return { value: answer };
      throw new Failure(
        "cache/failed",
        said,
        "let the server take PUT and GET there, such as nginx with 'dav_methods PUT'",
      );
    });
  }

  return {
    name,
    spools: undefined,
    width,
    async get(key) {
      const { status, body } = await send("GET", key);
      return status === 404 ? undefined : body;
    },
    has: async (key) => (await send("HEAD", key)).status !== 404,
    async put(key, body, on) {
      await send("PUT", key, body, on);
    },
    settle: () => Promise.resolve(),
  };
}

/** Sends a body, whole or from its beginning, and gives the answer, which may come before it was sent. */
async function converse(
  sent: ClientRequest,
  body: Body | undefined,
  on: Sent | undefined,
): Promise<Answer> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on("response", resolve).on("error", reject);
  });
  const sending =
    body === undefined || body instanceof Uint8Array
      ? sent.end(body)
      : pipeline(piecesOf(body, on), sent).catch(
          // Whatever it is, the answer or the lack of one tells.
          () => undefined,
        );
  const response = await answered;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxObjectSize) throw new Failure("cache/invalid", `${sent.path} is over 1 MiB`);
    pieces.push(piece);
  }
  await sending;
  return { status: response.statusCode ?? 0, body: Buffer.concat(pieces) };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name can't be looked up",
  ECONNRESET: "the connection broke off",
  EPIPE: "the connection broke off",
};

function reasonOf(error: unknown): string {
  const code = errorCode(error);
  if (code !== "unknown error") return reasons[code] ?? code;
  return error instanceof Error ? error.message : code;
}
