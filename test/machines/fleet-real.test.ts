import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { binaryOf, Engine } from "./engine.ts";
import { live } from "./engine-life.ts";
import { until } from "./pool.ts";

// fleet's own fleetd, over the v2 API of Debian's etcd.

const { path, missing } = binaryOf("SEALAUNCH_TEST_FLEETD", "fleetd");

const units = {
  "fleet-etcd.service": `[Service]
ExecStart=/usr/bin/etcd --enable-v2 --data-dir /var/lib/fleet-etcd
`,
  "fleet.socket": `[Socket]
ListenStream=/run/fleet.sock
SocketMode=0600
`,
  "fleet.service": `[Service]
Environment=FLEET_ETCD_SERVERS=http://127.0.0.1:2379 FLEET_PUBLIC_IP=192.0.2.1 FLEET_METADATA=role=dns
ExecStart=/usr/local/bin/fleet
Restart=always
`,
};

describe.skipIf(missing !== undefined)(
  missing ?? "a service that fleetd is given by deploy",
  () => {
    let engine: Engine;
    const api = (words: string, of: string): Promise<string> =>
      engine.node.sh(`curl -sS --unix-socket /run/fleet.sock ${words} http://fleet/fleet/v1/${of}`);
    beforeAll(async () => {
      engine = await Engine.create("fleet", path, "unix:/run/fleet.sock", 25);
      for (const [name, text] of Object.entries(units)) await engine.node.unit(name, text);
      await engine.node.sh("systemctl start fleet-etcd fleet.socket fleet.service");
      await until(
        async () => (await api("", "machines")).includes("192.0.2.1"),
        "fleetd has joined",
      );
    });
    afterAll(() => engine[Symbol.asyncDispose]());

    live(
      () => engine,
      () =>
        engine.node.sh("journalctl --sync; journalctl -q -o cat -u 'dns@*' _COMM=service _COMM=sh"),
      /(?:activating|failed) \([a-z-]+\) on 192\.0\.2\.1/u,
    );

    it("runs on where somebody else destroys its successor before that was seen to stay", async () => {
      const before = await engine.running();
      const names = async (): Promise<string[]> => {
        const units = JSON.parse(await api("", "units")) as { units?: { name: string }[] };
        return (units.units ?? []).map(({ name }) => name);
      };
      const [old = ""] = await names();
      const deploying = engine.deploy("four", "--settle 8");
      await until(
        async () => (await engine.running()).some(([word]) => word === "four"),
        "four runs",
      );
      const [other = ""] = (await names()).filter((name) => name !== old);
      await api("-X DELETE", `units/${other}`);
      const { exit, stderr } = await deploying;
      expect(exit).toBe(69);
      expect(stderr).toContain("what ran before runs on 192.0.2.1");
      expect(await engine.running()).toEqual(before);
      expect(await names()).toEqual([old]);
    });

    it("has its directory below /run when its predecessor has gone", async () => {
      const fields = { runtimeDirectories: ["dns"] };
      for (const word of ["five", "six"]) {
        await engine.seenUntil(word, async () => {
          expect((await engine.deploy(word, "", fields)).states).toEqual(["runs"]);
        });
      }
      await until(async () => {
        const left = await engine.node.sh("systemctl list-units --no-legend 'dns@*' | wc -l");
        return left.trim() === "1";
      }, "systemd has done with the one before");
      expect(await engine.node.sh("stat -c %U /run/dns")).toBe("nobody\n");
    });

    it("keeps another one off its machine that is to be apart from it", async () => {
      const before = await engine.running();
      const placement = { where: { role: "dns" }, apartFrom: ["dns"] };
      const failed = await engine.deploy("mail", "--within 10", { name: "mail", placement });
      expect(failed.exit).toBe(69);
      expect(failed.stderr).toContain("no machine has it yet");
      expect(await engine.running()).toEqual(before);
      const placed = { name: "mail", placement: { where: { role: "dns" }, apartFrom: ["web"] } };
      expect((await engine.deploy("mail", "", placed)).states).toEqual(["runs"]);
    });

    it("is one of its own for each text, since fleet ends what it is given another text for", async () => {
      const put = async (seconds: string): Promise<string> => {
        const options = [{ section: "Service", name: "ExecStart", value: `/bin/sleep ${seconds}` }];
        const body = JSON.stringify({ desiredState: "launched", options });
        const words = `-o /dev/null -w '%{http_code}' -X PUT -H 'content-type: application/json'`;
        const status = await api(`${words} -d '${body}'`, "units/other.service");
        const main = async (): Promise<string> =>
          (await engine.node.run("pgrep", ["-x", "-f", `/bin/sleep ${seconds}`])).stdout.toString();
        await until(async () => (await main()) !== "", `sleep ${seconds} runs`);
        return `${status} ${await main()}`;
      };
      expect(await put("1001")).toMatch(/^201 \d+\n$/u);
      expect(await put("1002")).toMatch(/^201 \d+\n$/u);
      const { status } = await engine.node.run("pgrep", ["-x", "-f", "/bin/sleep 1001"]);
      expect(status).toBe(1);
    });
  },
);
