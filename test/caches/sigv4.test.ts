import { describe, expect, it } from "vitest";
import { authorizationOf, signatureOf, type Signed } from "../fixtures/sigv4.ts";

// The examples of "Authenticating Requests: Using the Authorization Header" in Amazon S3's API reference.
const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const common = { host: "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z" };

function example(
  method: string,
  target: string,
  names: string,
  signature: string,
  headers: Readonly<Record<string, string>>,
): Signed {
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${signature}`;
  return { method, target, headers: { ...common, ...headers, authorization } };
}

const hash = "x-amz-content-sha256";
const usual = `host;${hash};x-amz-date`;
const examples: readonly [string, Signed][] = [
  [
    "GET of an object",
    example(
      "GET",
      "/test.txt",
      `host;range;${hash};x-amz-date`,
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      { range: "bytes=0-9", [hash]: empty },
    ),
  ],
  [
    "PUT of an object",
    example(
      "PUT",
      "/test%24file.text",
      `date;host;${hash};x-amz-date;x-amz-storage-class`,
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      {
        date: "Fri, 24 May 2013 00:00:00 GMT",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        [hash]: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      },
    ),
  ],
  [
    "GET of a bucket's lifecycle",
    example(
      "GET",
      "/?lifecycle",
      usual,
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      { [hash]: empty },
    ),
  ],
  [
    "GET of a bucket's list",
    example(
      "GET",
      "/?max-keys=2&prefix=J",
      usual,
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      { [hash]: empty },
    ),
  ],
];

describe("the door that stands in for a store's check of signatures", () => {
  it.for(examples)("computes what Amazon publishes for %s", ([, signed]) => {
    expect(signatureOf(signed, secret)).toBe(authorizationOf(signed).signature);
    expect(signatureOf(signed, `${secret}x`)).not.toBe(authorizationOf(signed).signature);
  });
});
