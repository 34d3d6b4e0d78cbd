import { dirname, resolve } from "node:path";
import { textOf } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import type { SchedulerApi } from "../formats/scheduler-configuration.ts";
import { requireClosed } from "../host/closed-file.ts";
import { readRegularFile } from "../host/files.ts";
import type { Endpoint } from "./http.ts";

/** A chain of certificates, a private half or a token has less. */
const maxFileSize = 1024 * 1024;

/** What a scheduler's API takes a token in; fleet has none of its own, and what stands before it may. */
const tokenHeaders = {
  fleet: (token: string) => ({ authorization: `Bearer ${token}` }),
  // https://developer.hashicorp.com/nomad/api-docs#authentication
  nomad: (token: string) => ({ "x-nomad-token": token }),
  // DC/OS, in whose clusters Marathon stands behind this.
  marathon: (token: string) => ({ authorization: `token=${token}` }),
} as const;

/** A scheduler that is asked over HTTP. */
export type AskedScheduler = keyof typeof tokenHeaders;

const names = { fleet: "fleet", nomad: "Nomad", marathon: "Marathon" } as const;

/**
 * Where a scheduler's API is, with what stands in the files that its configuration names.
 *
 * @param file - the configuration's
 * @throws Failure `configuration/missing` for a file that isn't there; `configuration/invalid` for a token
 *   or password that is none; `source/too-open` for those and private halves
 */
export async function openEndpoint(
  scheduler: AskedScheduler,
  api: SchedulerApi,
  file: string,
): Promise<Endpoint> {
  const pathOf = (name: string): string => resolve(dirname(file), name);
  const secretOf = (name: string): Promise<string> => readSecret(pathOf(name));
  const { url, trustedCa, certificate, certificateKey, tokenFile, user, passwordFile } = api;
  return {
    scheduler: names[scheduler],
    url: url.replace(/\/$/u, ""),
    tls: {
      ...(trustedCa === undefined ? {} : { ca: await read(pathOf(trustedCa)) }),
      ...(certificate === undefined ? {} : { cert: await read(pathOf(certificate)) }),
      ...(certificateKey === undefined
        ? {}
        : { key: await read(pathOf(certificateKey), requireClosed) }),
    },
    headers: {
      ...(tokenFile === undefined ? {} : tokenHeaders[scheduler](await secretOf(tokenFile))),
      ...(user === undefined || passwordFile === undefined
        ? {}
        : { authorization: `Basic ${btoa(`${user}:${await secretOf(passwordFile)}`)}` }),
    },
  };
}

/** One line of letters that a header can have, as it has to be text. */
async function readSecret(file: string): Promise<string> {
  const bytes = await read(file, requireClosed);
  const secret = textOf(bytes)?.replace(/\r?\n$/u, "") ?? "";
  bytes.fill(0);
  if (/^[!-~]{1,8192}$/u.test(secret)) return secret;
  throw new Failure(
    "configuration/invalid",
    `${file} is no token or password: one line of ASCII letters, digits and signs without blanks`,
  );
}

async function read(file: string, judge?: typeof requireClosed): Promise<Buffer> {
  const bytes = await readRegularFile(file, maxFileSize, (facts) => judge?.(facts, file));
  if (bytes !== undefined) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  throw new Failure(
    "configuration/missing",
    `there is no ${file}, which schedulers in sealaunch.json names`,
    "see 'Through a scheduler' in docs/deploying.md",
  );
}
