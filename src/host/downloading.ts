import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";
import { refused } from "./files.ts";

/** What a server said of a file, for asking later whether it has changed (RFC 9110 §8.8). */
export interface Validators {
  readonly etag: string | undefined;
  /** As the server spells it. */
  readonly lastModified: string | undefined;
}

/** What came of asking: a new file with its validators, or why there is none. */
export type Download = (Validators & { readonly size: number }) | "unchanged" | "absent";

/** Asks servers for files, through the proxies that the environment names. */
export interface Downloading {
  /**
   * After it, the new file `path` has what the server has under `url`, whole and on the disk; or there is no
   * `path`, since the server has nothing new, or nothing at all. What broke off is gone on with, or begun again.
   *
   * @param known - of what is here already
   * @throws Failure `advisories/unreachable`; `write/refused`. Nothing is at `path` then
   */
  download(url: string, path: string, known: Validators | undefined): Promise<Download>;
}

const maxSize = 4 * 1024 ** 3;
const retries = 4;

/** @param patienceMs - for so long a server may be silent, each time that it is asked, or slow */
export async function openDownloading(patienceMs: number): Promise<Downloading> {
  const {
    default: { EnvHttpProxyAgent, interceptors, request },
  } = await import("undici");
  const limits = { headersTimeout: patienceMs, bodyTimeout: patienceMs };
  const dispatcher = new EnvHttpProxyAgent({ ...limits, connect: { timeout: patienceMs } }).compose(
    interceptors.retry({ maxRetries: retries, minTimeout: 200, maxTimeout: 5000, errorCodes }),
    interceptors.redirect({ maxRedirections: 5 }),
  );
  return {
    download: async (url, path, known) => {
      const headers = {
        "user-agent": "sealaunch",
        ...(known?.etag === undefined ? {} : { "if-none-match": known.etag }),
        ...(known?.lastModified === undefined ? {} : { "if-modified-since": known.lastModified }),
      };
      const answer = await request(url, { dispatcher, headers }).catch((error: unknown) => {
        throw unreachable(url, error);
      });
      const { statusCode, body } = answer;
      if (statusCode !== 200) await body.dump();
      if (statusCode === 304 && known !== undefined) return "unchanged";
      if (statusCode === 404) return "absent";
      if (statusCode !== 200) throw unreachable(url, { statusCode });
      const size = await spool(inTime(body, url, patienceMs), url, path);
      const said = (name: string): string | undefined => [answer.headers[name]].flat()[0];
      return { etag: said("etag"), lastModified: said("last-modified"), size };
    },
  };
}

/** What may be otherwise a moment later; besides these, statuses 429 and 500 to 504. */
const errorCodes = [
  ...["ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EPIPE", "ENETUNREACH"],
  ...["EHOSTUNREACH", "ETIMEDOUT", "UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT"],
  ...["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"],
];

/** The same, which ends if less than a byte a millisecond comes: whoever drips could hold it for ever. */
async function* inTime(
  body: AsyncIterable<Uint8Array>,
  url: string,
  patienceMs: number,
): AsyncGenerator<Uint8Array> {
  let [since, came] = [performance.now(), 0];
  for await (const piece of body) {
    yield piece;
    came += piece.length;
    const took = performance.now() - since;
    if (took < patienceMs) continue;
    if (came < took)
      throw new Failure("advisories/unreachable", `${url} sends less than a kilobyte a second`);
    [since, came] = [performance.now(), 0];
  }
}

async function spool(body: AsyncIterable<Uint8Array>, url: string, path: string): Promise<number> {
  let file: FileHandle | undefined;
  let size = 0;
  const write = async (act: (file: FileHandle) => Promise<unknown>): Promise<void> => {
    try {
      file ??= await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
      await act(file);
    } catch (error) {
      throw refused(path, error);
    }
  };
  try {
    for await (const piece of body) {
      size += piece.length;
      if (size > maxSize) throw new Failure("advisories/unreachable", `${url} is over 4 GiB`);
      await write((whole) => whole.writeFile(piece));
    }
    await write((whole) => whole.sync());
    return size;
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error instanceof Failure ? error : unreachable(url, error);
  } finally {
    await file?.close();
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name can't be looked up",
  ECONNRESET: "the connection broke off",
  UND_ERR_SOCKET: "the connection broke off",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the connection broke off",
  // The address itself was judged before it was asked.
  UND_ERR_INVALID_ARG: "it sends on in a circle, or to no address",
  UND_ERR_CONNECT_TIMEOUT: "it is silent",
  UND_ERR_HEADERS_TIMEOUT: "it is silent",
  UND_ERR_BODY_TIMEOUT: "it is silent",
};

function unreachable(url: string, error: unknown): Failure {
  const code = errorCode(error);
  const status =
    typeof error === "object" && error !== null && "statusCode" in error
      ? error.statusCode
      : undefined;
  const broken = error instanceof Error ? error.message : code;
  const why =
    typeof status === "number" && status !== 200 && status !== 206
      ? `it answers with ${String(status)}`
      : (reasons[code] ?? broken);
  return new Failure("advisories/unreachable", `${url} can't be fetched: ${why}`);
}
