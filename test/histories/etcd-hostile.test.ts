import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createSecureServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/open.ts";
import type { Source } from "../../src/sources/source.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { expectEtcdFailure } from "../fixtures/heard.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let etcd: EtcdCluster;
beforeAll(async () => {
  etcd = await EtcdCluster.start();
});
afterAll(() => etcd[Symbol.asyncDispose]());

/** A server that members' certificate vouches for, and that answers each call with `act`. */
async function withServer(
  act: (stream: ServerHttp2Stream) => void,
  use: (source: Source) => Promise<void>,
): Promise<void> {
  const [cert, key] = ["pem", "private"].map((end) =>
    readFileSync(join(etcd.directory, `member.${end}`)),
  );
  const server = createSecureServer({ cert: cert ?? "", key: key ?? "" });
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    act(stream);
  });
  server.on("sessionError", () => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const endpoints = [`https://127.0.0.1:${String((server.address() as AddressInfo).port)}`];
  const file = etcd.configuration("hostile", { endpoints, deadline: 3 });
  try {
    await use(await openSource(`etcd:${file}`, "/"));
  } finally {
    server.close();
  }
}

/** A message of gRPC that says it has so many bytes. */
function frame(length: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

/** A server that answers each call with what is listed next. */
const withListing = (next: () => Buffer, use: (source: Source) => Promise<void>): Promise<void> =>
  withServer((stream) => {
    const message = next();
    stream.on("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": "0" });
    });
    stream.end(frame(message.length, message));
  }, use);

/** A RangeResponse (etcd's rpc.proto): header = 1, kvs = 2 with key = 1, more = 3. */
function listed(keys: readonly string[], more: boolean): Buffer {
  const field = (number: number, bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes]);
  const kvs = keys.map((key) => field(2, field(1, Buffer.from(key))));
  return Buffer.concat([field(1, Buffer.of()), ...kvs, Buffer.of(3 << 3, Number(more))]);
}

describe("an etcd that is somebody's own program", () => {
  it("is refused an answer that says it has four GiB", async () => {
    await withServer(
      (stream) => stream.write(frame(2 ** 32 - 1, Buffer.alloc(1000))),
      (source) =>
        expectEtcdFailure(source.read("roster/1", 10), "source/hostile", /more than is taken/u),
    );
  });

  it("ends with the deadline when its answer never does", async () => {
    await withServer(
      (stream) => {
        stream.write(frame(1_000_000, Buffer.alloc(10)));
        const timer = setInterval(() => stream.write(Buffer.alloc(10)), 50);
        stream.on("close", () => {
          clearInterval(timer);
        });
      },
      (source) => expectEtcdFailure(source.read("roster/1", 10), "source/timeout", /within 3 s/u),
    );
  });

  it("is refused keys that nobody asked for, however many it lists", async () => {
    for (const key of [
      "/etc/passwd",
      "/sealaunch/roster",
      "/sealaunch/roster0",
      "/sealaunch/pools/x",
    ])
      await withListing(
        () => listed([key], false),
        (source) =>
          expectEtcdFailure(
            source.list("roster"),
            "source/hostile",
            /not what was asked for: list/u,
          ),
      );
  });

  it("is asked no more once it gives a few keys and says that there are more, or more than any folder has", async () => {
    const names = (page: number, size: number): string[] =>
      Array.from(
        { length: size },
        (_, index) => `/sealaunch/roster/${String(page * size + index).padStart(9, "0")}`,
      );
    for (const [size, says, most] of [
      [1, /not what was asked for: list roster/u, 1],
      [500, /more names in roster than any folder has/u, 201],
    ] as const) {
      let pages = 0;
      await withListing(
        () => listed(names(pages++, size), true),
        (source) => expectEtcdFailure(source.list("roster"), "source/hostile", says),
      );
      expect(pages).toBe(most);
    }
  });

  it("has nothing that it says repeated", async () => {
    await withServer(
      (stream) => {
        stream.on("wantTrailers", () => {
          stream.sendTrailers({ "grpc-status": "9", "grpc-message": "hunter2%0Aerror: obey" });
        });
        stream.end();
      },
      (source) =>
        expectEtcdFailure(source.read("roster/1", 10), "source/failed", /status 9: read/u),
    );
  });
});

describe("an etcd in which somebody has put what he likes", () => {
  it("leads no copy out of its directory, and to nothing that wasn't signed", async () => {
    using place = Workplace.followed();
    const url = `etcd:${etcd.configuration("root", etcd.issue("root"))}`;
    expectDone(place.run(`sealaunch copy --from dir:. --to ${url} --yes`));
    const source = await openSource(url, "/");
    const junk = new Uint8Array([1]);
    const names = ["..", "../../out", "/tmp/out", "__proto__", "a\nb", "\u202e", "x".repeat(300)];
    for (const name of names) {
      for (const path of [
        `bundles/${name}/0.1/statement.json`,
        `nodes/${name}/card.json`,
        `bundles/dns/values/${name}`,
        `roster/${name}/roster.json`,
        `roster/1/signatures/${name}`,
        `entries/web/1/${name}`,
        `headers/web/1/dns/${name}`,
      ])
        await source.write(path, junk);
    }
    expectDone(place.run(`sealaunch copy dns --from ${url} --to dir:copy --yes`));
    const below = (folder: string): string[] =>
      readdirSync(join(place.directory, folder), { recursive: true, encoding: "utf8" }).toSorted();
    for (const folder of ["keys", "secrets"])
      expect(below(`copy/${folder}`)).toEqual(below(folder));
    expect(existsSync(join(place.directory, "out"))).toBe(false);
    // All bundles: one that isn't signed by somebody who may is no bundle to copy.
    expectDone(place.run(`sealaunch copy --from ${url} --to dir:all --yes`));
    expect(below("all/secrets")).toEqual(below("secrets"));
    await source.write("bundles/web/0.1/statement.json", junk);
    const refused = place.run(`sealaunch copy --from ${url} --to dir:more --yes`);
    expectRefused(refused, "signature/unknown-signer");
    expect(existsSync(join(place.directory, "more"))).toBe(false);
  });
});
