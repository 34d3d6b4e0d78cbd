import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { readNode } from "../../src/cluster/configuration.ts";
import { readIdentities } from "../../src/cluster/identities.ts";
import { mirrorAgeFailure, readSynced } from "../../src/cluster/mirror/age.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import type { Synced } from "../../src/formats/synced.ts";
import { openBundles, type Opening } from "../../src/launch/open.ts";
import { mirrorFile, openMirror } from "../../src/sources/mirror.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { refusal } from "../fixtures/refusal.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { done, refused } = checkout;
beforeEach(() => {
  keepMirror("n1");
});

/** Has a node read its source, here this copy's, through a mirror. */
function keepMirror(node: string): void {
  const path = checkout.at(node, "node.json");
  const before = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const paths = {
    source: `dir:${checkout.here}`,
    identity: checkout.at(node, "identity"),
    mirror: checkout.at(node, "mirror"),
    state: checkout.at(node, "state"),
  };
  writeFileSync(path, JSON.stringify({ ...before, ...paths }));
}

const sync = "sealaunch sync --config n1/node.json";

const mirrored = () => openMirror(checkout.at("n1/mirror"));

/** The files of the source. */
const objects = (): string[] =>
  readdirSync(checkout.here, { recursive: true, encoding: "utf8" })
    .filter((path) => /^(?:keys|secrets)\//u.test(path))
    .toSorted();

describe("sync", () => {
  it("brings what the node needs, and of other nodes only that they have their entries", async () => {
    done(sync);
    const mirror = mirrored();
    expect(await mirror.list("bundles")).toEqual(["dns"]);
    expect(await mirror.list("roster")).toHaveLength(1);
    const entries = readdirSync(checkout.at("keys/entries/web/1")).toSorted();
    expect((await mirror.list("entries/web/1")).toSorted()).toEqual(entries);
    const read = await Promise.all(
      entries.map((name) => mirror.read(`entries/web/1/${name}`, 10_000)),
    );
    expect(read.filter((bytes) => bytes !== undefined)).toHaveLength(1);
  });

  it("writes nothing anew where nothing has changed, but for the time", () => {
    done(sync);
    const before = done("stat -c '%n %i' n1/mirror/*");
    done(sync);
    const after = done("stat -c '%n %i' n1/mirror/*");
    const synced = mirrorFile("synced");
    const others = (text: string): string[] =>
      text.split("\n").filter((line) => !line.includes(synced));
    expect(others(after)).toEqual(others(before));
  });

  it("lets an older generation's files go once nothing names them", async () => {
    done(sync);
    const before = readdirSync(checkout.at("n1/mirror"));
    done("printf new > token && sealaunch seal dns CF_TOKEN=token");
    done(sync);
    const names = await mirrored().list("bundles/dns");
    expect(names.toSorted()).toEqual(["0.3", "values"]);
    const leaving = done("find n1/mirror -maxdepth 1 -type f -perm 0444 -printf '%f\\n'").split(
      "\n",
    );
    expect(leaving).toContain(mirrorFile("bundles/dns/0.2/statement.json"));
    expect(before).toContain(mirrorFile("bundles/dns/0.2/statement.json"));
    done(sync);
    expect(readdirSync(checkout.at("n1/mirror"))).toEqual(expect.arrayContaining(before));
  });

  it("leaves the mirror as it was when the source is away or set back", () => {
    done("cp -r secrets old");
    done("printf new > token && sealaunch seal dns CF_TOKEN=token");
    done(sync);
    const before = done("stat -c '%n %i' n1/mirror/*");
    rmSync(checkout.at("secrets"), { recursive: true });
    renameSync(checkout.at("old"), checkout.at("secrets"));
    refused(sync, "mark/rolled-back");
    renameSync(checkout.at("keys"), checkout.at("away"));
    refused(sync, "roster/absent");
    const objectsOf = (text: string): string[] =>
      text.split("\n").filter((line) => !line.includes(mirrorFile("synced")));
    expect(objectsOf(done("stat -c '%n %i' n1/mirror/*"))).toEqual(objectsOf(before));
  });

  it("is refused where the node has no mirror, and where nothing says whose it is", () => {
    refused("sealaunch sync --config n2/node.json", "mirror/none");
    rmSync(checkout.at("n1/card.json"));
    rmSync(checkout.at("keys/nodes/n1"), { recursive: true });
    refused(sync, "card/absent");
  });
});

describe("a start that reads a mirror", () => {
  const open = async (): Promise<Opening> => {
    const node = await readNode(checkout.at("n1/node.json"));
    const request = {
      bundles: [{ bundle: "dns", floor: 1 }],
      credentials: ["CF_TOKEN"],
      unit: "dns.service",
      inPlace: true,
    };
    const identities = (): Promise<Identity[]> => readIdentities(node.configuration.identity);
    return openBundles(request, node, identities, new Date());
  };
  const value = async (): Promise<string | undefined> => {
    const { credentials } = await open();
    return credentials.map((one) => new TextDecoder().decode(one.value))[0];
  };

  it("gets its secrets though the source is gone, and newer ones only after a sync", async () => {
    done(sync);
    expect(await value()).toBe("correct horse battery staple");
    done("printf newer > token && sealaunch seal dns CF_TOKEN=token");
    expect(await value()).toBe("correct horse battery staple");
    done(sync);
    rmSync(checkout.at("keys"), { recursive: true });
    rmSync(checkout.at("secrets"), { recursive: true });
    expect(await value()).toBe("newer");
  });

  it("is refused by its own marks where the mirror was set back or altered", async () => {
    done(sync);
    done("cp -r n1/mirror n1/old");
    done("printf newer > token && sealaunch seal dns CF_TOKEN=token");
    done(sync);
    expect(await value()).toBe("newer");
    rmSync(checkout.at("n1/mirror"), { recursive: true });
    renameSync(checkout.at("n1/old"), checkout.at("n1/mirror"));
    expect(await refusal(open)).toBe("mark/rolled-back");
    done("rm -r n1/mirror/.sync");
    done(sync);
    expect(await value()).toBe("newer");
    const statement = checkout.at("n1/mirror", mirrorFile("bundles/dns/0.3/statement.json"));
    writeFileSync(statement, readFileSync(statement, "utf8").replace("dns.service", "bad.service"));
    expect(await refusal(open)).toBe("signature/invalid");
  });

  it("is told when sync has last been there, and who looks when that was over an hour ago", async () => {
    const node = await readNode(checkout.at("n1/node.json"));
    const { configuration } = node;
    const old = (now: Date, synced?: Synced) => mirrorAgeFailure(configuration, synced, now)?.code;
    expect(old(new Date())).toBe("mirror/old");
    done(sync);
    const { mirroredAt = "" } = await open();
    const age = Date.now() - Date.parse(mirroredAt);
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(30_000);
    const synced = await readSynced(mirrored(), configuration);
    expect(old(new Date(), synced)).toBeUndefined();
    expect(old(new Date(Date.now() + 3_700_000), synced)).toBe("mirror/old");
    writeFileSync(checkout.at("n1/mirror", mirrorFile("synced")), "{}");
    expect((await open()).mirroredAt).toBeUndefined();
  });

  it("is refused where the source is reached by the network, and there is no mirror", async () => {
    const path = checkout.at("n1/node.json");
    const { mirror, ...rest } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    expect(mirror).toBeDefined();
    writeFileSync(path, JSON.stringify({ ...rest, source: "etcd:etcd.json" }));
    expect(await refusal(open)).toBe("mirror/none");
  });

  it("is told what the mirror lacks as if the source lacked it", async () => {
    expect(await refusal(open)).toBe("roster/absent");
    done("mv secrets/headers headers && mkdir secrets/headers");
    done(sync);
    expect(await refusal(open)).toBe("bundle/absent");
  });
});

describe("a node's own pass through a mirror", () => {
  it("writes into the outbox, and the next sync carries it to the source, once", () => {
    done(sync);
    const [owed = ""] = readdirSync(checkout.at("keys/entries/web/1")).filter((name) =>
      isEntryOf("n2", name),
    );
    const path = checkout.at("keys/entries/web/1", owed);
    rmSync(path);
    done(sync);
    const before = objects();
    expect(done("sealaunch rewrap --config n1/node.json")).toContain("entry of node n2");
    expect(objects()).toEqual(before);
    expect(done(sync)).toContain(`carried entries/web/1/${owed}`);
    expect(existsSync(path)).toBe(true);
    rmSync(path);
    expect(done(sync)).not.toContain("carried");
  });
});

function isEntryOf(node: string, name: string): boolean {
  const { id } = JSON.parse(done(`sealaunch identity show ${node}/identity --json`)) as {
    id: string;
  };
  return name === `${id}.age`;
}
