import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { writeReport } from "../../src/cluster/reports.ts";
import { hex } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { formatTime } from "../../src/formats/fields.ts";
import { encodeReport } from "../../src/formats/records/report.ts";
import { namespaces } from "../../src/formats/sshsig/signature.ts";
import { openDirectory } from "../../src/sources/directory.ts";
import { openSource } from "../../src/sources/open.ts";
import type { Source } from "../../src/sources/source.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { putInventory } from "../fixtures/inventories.ts";
import { sealaunch } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { done } = checkout;

/** What a node says of itself. */
interface Said {
  readonly generation: number;
  /** In seconds, from now. */
  readonly after?: number;
  /** Whose host key signs it. */
  readonly by?: string;
}

/** After it, that directory or source has a report of a node whose dns.service runs on that generation. */
async function putReport(to: string | Source, node: string, said: Said): Promise<void> {
  const { generation, after = 0, by = node } = said;
  const file = JSON.parse(readFileSync(checkout.at("sealaunch.json"), "utf8")) as {
    readonly cluster: string;
  };
  const statement = readFileSync(
    checkout.at(`secrets/bundles/dns/0.${String(generation)}/statement.json`),
  );
  const bytes = encodeReport({
    type: "report",
    version: 1,
    cluster: file.cluster,
    node,
    issued: formatTime(new Date(Date.now() + after * 1000)),
    services: [
      {
        unit: "dns.service",
        invocation: "0".repeat(32),
        activeState: "active",
        since: formatTime(new Date()),
        wants: ["dns"],
        bundles: [
          {
            name: "dns",
            series: 0,
            generation,
            statement: hex(sha256(statement)),
            credentials: ["CF_TOKEN"],
          },
        ],
        refusal: null,
      },
    ],
  });
  const words = ["-Y", "sign", "-q", "-n", namespaces.inventory, "-f", `${by}_host_key`];
  const signature = execFileSync("ssh-keygen", words, {
    cwd: checkout.here,
    input: bytes,
    stdio: "pipe",
  });
  const source = typeof to === "string" ? openDirectory(".", checkout.at(to)) : to;
  await writeReport(source, node, bytes, new Uint8Array(signature));
}

const report = "keys/nodes/n1/report.json";
const both = `wrote ${report}\nwrote ${report}.sig\n`;

describe("a node's report that is carried in a directory", () => {
  it("is in the checkout afterwards, so that it is seen there who is behind, and who no longer is", async () => {
    done("printf new > token && sealaunch seal dns CF_TOKEN=token");
    const [newest, before] = [3, 2];
    for (const node of ["n1", "n2"]) {
      done(`mkdir -p ${node}/stick`);
      await putReport(`${node}/stick`, node, { generation: before });
      done(`sealaunch sync --from ${node}/stick`);
    }
    const ended = checkout.place.run("sealaunch status --bundle dns", checkout.here);
    const { stderr } = expectRefused(ended, "unit/behind");
    expect(stderr).toContain("behind: n1, n2; n1: restart owed");
    await putReport("n1/stick", "n1", { generation: newest, after: 1 });
    expect(done("sealaunch sync --from n1/stick")).toBe(both);
    expect(checkout.place.run("sealaunch status --pool web", checkout.here).stderr).toContain(
      "behind: n2; n2:",
    );
    await putReport("n2/stick", "n2", { generation: newest, after: 1 });
    done("sealaunch sync --from n2/stick");
    done("sealaunch status --pool web --wait");
    expect(done("sealaunch status --bundle dns --wait --json")).toContain('"behind": []');
  });

  it("takes the place of none that is later, whichever stick comes first", async () => {
    await putReport("late", "n1", { generation: 2, after: 60 });
    await putReport("early", "n1", { generation: 1 });
    expect(done("sealaunch sync --from late")).toBe(both);
    expect(done("sealaunch sync --from early")).toContain("has nothing that is owed here");
    expect(readFileSync(checkout.at(report))).toEqual(readFileSync(checkout.at("late", report)));
  });

  it("is left where it is unless the node's own host key has signed it", async () => {
    await putReport(".", "n1", { generation: 1 });
    const before = readFileSync(checkout.at(report));
    await putReport("forged", "n1", { generation: 2, after: 60, by: "n2" });
    expect(done("sealaunch sync --from forged")).toContain("has nothing that is owed here");
    expect(readFileSync(checkout.at(report))).toEqual(before);
    // What is here is no reason to leave a true one there.
    cpSync(checkout.at("forged/keys/nodes"), checkout.at("keys/nodes"), {
      recursive: true,
    });
    await putReport("true", "n1", { generation: 2 });
    expect(done("sealaunch sync --from true")).toBe(both);
  });
});

it("a node's inventory that is carried late leaves the newer one as it is, with all its parts", async () => {
  const hostKey = checkout.at("n1_host_key");
  const hourAgo = new Date(Date.now() - 3_600_000);
  const old = { node: "n1", store: { old: [] }, taken: hourAgo };
  await putInventory(checkout.here, hostKey, old, checkout.at("stick"));
  await putInventory(checkout.here, hostKey, { node: "n1", store: { new: [], lib: [] } });
  const files = (): string[] =>
    readdirSync(checkout.at("keys/nodes/n1"), {
      recursive: true,
      encoding: "utf8",
    }).toSorted();
  const before = files();
  expect(done("sealaunch sync --from stick")).toContain("has nothing that is owed here");
  expect(files()).toEqual(before);
});

it("who waits for reports goes on waiting while the source is away, as long as he said", async () => {
  await using etcd = await EtcdCluster.start();
  const url = `etcd:${etcd.configuration("root", { ...etcd.issue("root"), deadline: 2 })}`;
  done(`sealaunch copy --from dir:. --to ${url} --yes`);
  const file = checkout.at("sealaunch.json");
  const trust = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...trust, source: url }));
  const source = await openSource(url, "/");
  await putReport(source, "n1", { generation: 2 });
  await putReport(source, "n2", { generation: 1 });
  const status = (timeout: number): ReturnType<typeof sealaunch> =>
    sealaunch(["status", "--bundle", "dns", "--wait", "--timeout", String(timeout)], {
      cwd: checkout.here,
      environment: checkout.place.environment(checkout.here),
    });
  const waiting = status(90);
  await pause(2_000);
  for (const index of [0, 1, 2]) await etcd.kill(index);
  const short = await status(5);
  expect(short.stderr).toMatch(/^error: etcd:/u);
  for (const index of [0, 1, 2]) etcd.run(index);
  await etcd.healthy();
  await putReport(source, "n2", { generation: 2, after: 60 });
  expectDone(await waiting);
});
