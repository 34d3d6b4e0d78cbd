import type { Stats } from "node:fs";
import { dirname, resolve } from "node:path";
import { rootCertificates } from "node:tls";
import { Failure } from "../failure.ts";
import { decodeEtcdConfiguration } from "../formats/configuration.ts";
import { requireClosed } from "../host/closed-file.ts";
import { readRegularFile } from "../host/files.ts";

/** How a cluster of etcd is reached, with what stands in the files that its configuration names. */
export interface EtcdSettings {
  /** The configuration's file. */
  readonly file: string;
  /** `https://HOST:PORT` */
  readonly endpoints: readonly string[];
  /** What all keys begin with. */
  readonly prefix: string;
  readonly deadlineMs: number;
  /** PEM; undefined where nothing is encrypted. `hasCa`: whether `trustedCa` says whom to trust, or Node does. */
  readonly tls:
    | {
        readonly ca: Buffer;
        readonly hasCa: boolean;
        readonly certificate?: Buffer;
        readonly certificateKey?: Buffer;
      }
    | undefined;
  readonly login: { readonly username: string; readonly password: string } | undefined;
}

/** A chain of certificates, a key or a password has less. */
const maxFileSize = 1024 * 1024;

/**
 * The settings in the file at `path`.
 *
 * @throws Failure `configuration/missing` for this file and those that it names;
 *   `configuration/invalid`; `source/too-open` for those with a password or private half
 */
export async function readEtcdSettings(path: string, base: string): Promise<EtcdSettings> {
  const file = resolve(base, path);
  const configuration = decodeEtcdConfiguration(await require(file, ""), file);
  const { endpoints, prefix, deadline, trustedCa, certificate, certificateKey, user } =
    configuration;
  const read = (field: string, name: string): Promise<Buffer> =>
    require(resolve(dirname(file), name), `${file}: ${field}: `);
  const readSecret = (field: string, name: string): Promise<Buffer> =>
    require(resolve(dirname(file), name), `${file}: ${field}: `, requireClosed);
  const isEncrypted = endpoints.every((endpoint) => endpoint.startsWith("https:"));
  const systemCa = Buffer.from(rootCertificates.join("\n"));
  const tls = isEncrypted
    ? {
        ca: trustedCa === undefined ? systemCa : await read("trustedCa", trustedCa),
        hasCa: trustedCa !== undefined,
        ...(certificate === undefined
          ? {}
          : { certificate: await read("certificate", certificate) }),
        ...(certificateKey === undefined
          ? {}
          : { certificateKey: await readSecret("certificateKey", certificateKey) }),
      }
    : undefined;
  const { passwordFile } = configuration;
  const login =
    user === undefined || passwordFile === undefined
      ? undefined
      : {
          username: user,
          password: (await readSecret("passwordFile", passwordFile)).toString().replace(/\n$/u, ""),
        };
  return { file, endpoints, prefix, deadlineMs: deadline * 1000, tls, login };
}

/** @param by - who names the file, in front of what is said of it */
async function require(
  file: string,
  by: string,
  judge?: (facts: Stats, file: string) => void,
): Promise<Buffer> {
  const bytes = await readRegularFile(file, maxFileSize, (facts) => judge?.(facts, file));
  if (bytes !== undefined) return Buffer.from(bytes);
  throw new Failure(
    "configuration/missing",
    `${by}there is no ${file}`,
    "see 'A source in etcd' in docs/operating.md",
  );
}
