import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { Readable } from "node:stream";
import { Failure } from "../failure.ts";
import { maxObjectSize, mediaType, piecesOf, sizeOf, type Body, type Cache } from "./cache.ts";
import { s3Failure } from "./s3-failure.ts";

/** Larger ones are sent in parts of that size, of which each is sent again by itself. */
const partSize = 16 * 1024 * 1024;
/** Parts of one archive that are held in memory at once. */
const partsAtOnce = 2;
const width = 16;

/** A bucket as Nix writes it: `s3://BUCKET?region=…&endpoint=…&profile=…&scheme=…`. */
export interface Bucket {
  readonly bucket: string;
  readonly region: string | undefined;
  /** `HOST`, with a port where it isn't the usual one: of a store that isn't Amazon's. */
  readonly endpoint: string | undefined;
  readonly scheme: "http" | "https";
  /** Of `~/.aws/credentials` and `~/.aws/config`. */
  readonly profile: string | undefined;
}

/**
 * The cache in a bucket of S3 or of a store that speaks like it. Who asks is found where AWS's own tools
 * look: environment, profile, role.
 *
 * @param patienceMs - for so long the store may be silent
 */
export function openS3Cache(name: string, where: Bucket, patienceMs: number): Cache {
  const client = new S3Client(settings(where, patienceMs));
  const at = (key: string): { Bucket: string; Key: string } => ({ Bucket: where.bucket, Key: key });
  const attempt = async <T>(key: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      s3Failure(`${name}: ${key}`, error);
      return;
    }
  };
  return {
    name,
    spools: undefined,
    width,
    async get(key) {
      const found = await attempt(key, async () => {
        const { Body: body, ContentLength: size = 0 } = await client.send(
          new GetObjectCommand(at(key)),
        );
        if (size > maxObjectSize)
          throw new Failure("cache/invalid", `${name}: ${key} is over 1 MiB`);
        return body?.transformToByteArray();
      });
      return found;
    },
    async has(key) {
      const found = await attempt(key, () => client.send(new HeadObjectCommand(at(key))));
      return found !== undefined;
    },
    async put(key, body, sent) {
      const object = { ...at(key), ContentType: mediaType(key) };
      const done = await attempt(key, async () => {
        if (sizeOf(body) <= partSize) {
          const Body = await whole(body);
          return client.send(new PutObjectCommand({ ...object, Body }));
        }
        const Body = body instanceof Uint8Array ? body : Readable.from(piecesOf(body, sent));
        const params = { ...object, Body };
        return new Upload({ client, params, partSize, queueSize: partsAtOnce }).done();
      });
      if (done === undefined) throw new Failure("cache/failed", `${name} has no such bucket`);
    },
    settle: () => Promise.resolve(),
  };
}

function settings(
  { region, endpoint, scheme, profile }: Bucket,
  patienceMs: number,
): S3ClientConfig {
  return {
    maxAttempts: 5,
    // By default every body has a CRC behind it, which stores that aren't Amazon's refuse.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: patienceMs,
      requestTimeout: patienceMs,
      socketTimeout: patienceMs,
      throwOnRequestTimeout: true,
    },
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined
      ? {}
      : { endpoint: `${scheme}://${endpoint}`, forcePathStyle: true, region: "us-east-1" }),
    ...(region === undefined ? {} : { region }),
  };
}

async function whole(body: Body): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(body)) pieces.push(piece);
  return Buffer.concat(pieces);
}
