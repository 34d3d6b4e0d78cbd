import * as z from "zod/mini";
import { describe, expect, it } from "vitest";
import { decodeNodeConfiguration } from "../../src/formats/configuration.ts";
import { utf8 } from "../../src/crypto/bytes.ts";
import { parseOnChange } from "../../src/service/on-change.ts";
import { textOfFile } from "../source.ts";
import { evaluateSystem, libs, type Lib } from "./evaluate.ts";

const System = z.object({
  failed: z.array(z.string()),
  node: z.nullable(z.object({ text: z.string(), mode: z.string() })),
  identity: z.object({
    serviceConfig: z.optional(z.record(z.string(), z.unknown())),
    unitConfig: z.optional(z.record(z.string(), z.unknown())),
    before: z.optional(z.array(z.string())),
  }),
  agent: z.object({
    stopIfChanged: z.optional(z.boolean()),
    serviceConfig: z.optional(z.record(z.string(), z.unknown())),
  }),
  sync: z.object({
    service: z.array(z.string()),
    socket: z.array(z.string()),
    users: z.array(z.string()),
  }),
  socket: z.array(z.string()),
  packages: z.array(z.string()),
  scripts: z.array(z.string()),
  originals: z.array(z.string()),
  placeholders: z.record(z.string(), z.string()),
  paths: z.record(z.string(), z.string()),
});

const rootKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP86Amg5eZP61Kc6fHUtDRZWOTnMOKDizddxZbs91xcY";
const node = `services.sealaunch = {
  enable = true;
  cluster = "1a918347a15aa69af094a9ad5cb601bf";
  roots = [ "${rootKey}" ];
  source = "dir:/srv/secrets";
  node = "n1";
};`;

async function system(lib: Lib, lines: string): Promise<z.infer<typeof System>> {
  return System.parse(await evaluateSystem(lib, `({ config, ... }: { ${lines} })`));
}

describe.each(libs)("the NixOS module, evaluated with $name", (lib) => {
  it("makes a node.json that the program reads, a plain file that no link stands for", async () => {
    const { node: file, failed } = await system(lib, node);
    expect(failed).toEqual([]);
    expect(file?.mode).toBe("0444");
    expect(decodeNodeConfiguration(utf8(file?.text ?? ""), "node.json")).toEqual({
      cluster: "1a918347a15aa69af094a9ad5cb601bf",
      source: "dir:/srv/secrets",
      roots: [rootKey],
      threshold: 1,
      node: "n1",
      identity: "/var/lib/sealaunch/node/identity.cred",
      state: "/var/lib/sealaunch",
      keepClosures: 7,
      refuseStale: false,
    });
  });

  it("starts the socket with the machine, and never stops the agent to change it", async () => {
    const { socket, agent, packages } = await system(lib, node);
    expect(socket).toEqual(["sockets.target"]);
    expect(agent.stopIfChanged).toBe(false);
    expect(packages).toHaveLength(1);
    expect(packages[0]).toMatch(/^sealaunch-[0-9.]+$/u);
  });

  it("keeps a mirror where it is told to, under a user of its own", async () => {
    const { node: file, sync } = await system(lib, `${node} services.sealaunch.mirror = true;`);
    const { mirror } = decodeNodeConfiguration(utf8(file?.text ?? ""), "node.json");
    expect(mirror).toBe("/var/lib/sealaunch-mirror");
    expect(textOfFile("systemd/sealaunch-sync.service")).toContain(
      "\nStateDirectory=sealaunch-mirror\n",
    );
    expect(sync).toEqual({
      service: ["multi-user.target"],
      socket: ["sockets.target"],
      users: ["sealaunch-sync"],
    });
    expect((await system(lib, node)).sync).toEqual({ service: [], socket: [], users: [] });
  });

  it("makes an identity at the first boot, before the agent, and only where there is none", async () => {
    const { identity } = await system(lib, node);
    expect(identity.before).toEqual(["sealaunch-agent.service"]);
    expect(identity.serviceConfig?.["ExecStart"]).toMatch(
      / identity create --into \/var\/lib\/sealaunch\/node --with-key auto --node n1 --host-key \/etc\/ssh\/ssh_host_ed25519_key$/u,
    );
    expect(identity.unitConfig?.["ConditionPathExists"]).toEqual([
      "!/var/lib/sealaunch/node/card.json",
      "!/var/lib/sealaunch/node/identity.cred",
    ]);
    const without = await system(lib, `${node} services.sealaunch.createIdentity = false;`);
    expect(without.identity.serviceConfig ?? {}).toEqual({});
  });

  it("has systemd decrypt an identity that is an encrypted credential, and no plain file", async () => {
    const { agent } = await system(lib, node);
    expect(agent.serviceConfig).toEqual({
      LoadCredentialEncrypted: "sealaunch-identity:/var/lib/sealaunch/node/identity.cred",
    });
    const plain = `services.sealaunch.identityFile = "/var/lib/sealaunch/node/identity";`;
    const other = await system(lib, node + plain);
    expect(other.agent.serviceConfig ?? {}).toEqual({});
  });

  it("sets nothing of the machine where it isn't enabled", async () => {
    const off = await system(lib, "");
    expect(off.node).toBeNull();
    expect(off.packages).toEqual([]);
    expect(off.socket).toEqual([]);
  });

  it.each([
    ["cluster", `cluster = "abc";`],
    ["roots", `roots = [ "ssh-rsa AAAA" ];`],
    ["source", `source = "/srv/secrets";`],
    ["node", `node = "N 1";`],
    ["threshold", `threshold = 0;`],
  ])("refuses a wrong %s", async (option, line) => {
    const other = node.replace(new RegExp(`^ *${option} = .*$`, "mu"), "");
    await expect(
      system(lib, other.replace("enable = true;", `enable = true; ${line}`)),
    ).rejects.toThrow(`services.sealaunch.${option}`);
  });

  it("refuses a threshold that the roots can't reach, and a source that the agent can't see", async () => {
    const { failed } = await system(
      lib,
      node
        .replace("enable = true;", "enable = true; threshold = 2;")
        .replace("dir:/srv/secrets", "dir:/home/ada/secrets"),
    );
    expect(failed).toHaveLength(2);
    expect(failed.join()).toContain("threshold is 2, and there are 1 roots");
    expect(failed.join()).toContain("dir:/home/ada/secrets is in a home directory");
  });
});

const secrets = `
  systemd.services.app.serviceConfig.ExecStart = "/nix/store/x/bin/app";
  systemd.services.nginx.serviceConfig.ExecStart = "/nix/store/x/bin/nginx";
  sealaunch.secrets.database = { bundle = "web"; service = "app"; minimum = 3; environment = "DB"; };
  sealaunch.secrets.token = { bundle = "web"; service = "app"; credential = "API_TOKEN"; minimum = 5; };
  sealaunch.secrets."tls.key" = { bundle = "tls"; service = "nginx"; };
  sealaunch.templates."app.conf" = {
    service = "app";
    content = "password=\${config.sealaunch.placeholder.database}";
  };
`;

describe.each(libs)("sealaunch.secrets, evaluated with $name", (lib) => {
  it("says where a service finds each credential and each rendered file", async () => {
    const { paths, placeholders, failed } = await system(lib, node + secrets);
    expect(failed).toEqual([]);
    expect(paths).toEqual({
      database: "/run/credentials/app.service/database",
      token: "/run/credentials/app.service/API_TOKEN",
      "tls.key": "/run/credentials/nginx.service/tls.key",
      "app.conf": "/run/credentials/app.service/app.conf",
    });
    expect(placeholders).toEqual({
      database: "@database@",
      token: "@API_TOKEN@",
      "tls.key": "@tls.key@",
    });
  });

  it("wraps the unit of every service that gets something, once", async () => {
    const { scripts, originals } = await system(lib, node + secrets);
    expect(originals.sort()).toEqual([
      "[Service]\nExecStart=/nix/store/x/bin/app\n",
      "[Service]\nExecStart=/nix/store/x/bin/nginx\n",
    ]);
    const wraps = scripts.filter((script) => script.includes("unit --wrap"));
    expect(wraps).toHaveLength(2);
    const app = wraps.find((script) => script.includes("app.service"))!.replaceAll("'", "");
    expect(app).toContain(
      "--bundle web@5+ --credential API_TOKEN --credential database --env DB=database --render app.conf=/nix/store/",
    );
    expect(app).toContain(`--output "$directory/sealaunch.conf"`);
  });

  it.each(["owner", "group", "mode", "file", "sopsFile", "restartUnits", "neededForUsers"])(
    "says why there is no %s",
    async (option) => {
      const { failed } = await system(
        lib,
        `${node}${secrets} sealaunch.secrets.token.${option} = "x";`,
      );
      expect(failed).toHaveLength(1);
      expect(failed[0]).toMatch(
        new RegExp(`^sealaunch\\.secrets\\.token\\.${option}: .+ Take the line out\\.$`, "u"),
      );
    },
  );

  it.each([
    [`onChange = "restart";`, "restart"],
    [`onChange = "restart"; spread.atOnce = 3; spread.seconds = 60;`, "restart:3/60"],
    [`onChange = "restart"; spread = { atOnce = 3; };`, "restart:3"],
    [`onChange = "restart"; spread = { seconds = 60; };`, "restart:/60"],
    [`onChange = "reload";`, "reload"],
    [`onChange = "signal=USR2"; spread = { atOnce = 3; };`, "signal=USR2:3"],
  ])("has a service restarted for new values where it is asked to: %s", async (lines, written) => {
    const own = `sealaunch.services.app = { ${lines} };`;
    const { scripts, failed } = await system(lib, node + secrets + own);
    expect(failed).toEqual([]);
    const [app, nginx] = ["app", "nginx"].map((name) =>
      scripts.find((script) => script.includes(`'${name}.service'`)),
    );
    expect(app).toContain(`'--on-change' '${written}' `);
    expect(nginx).not.toContain("--on-change");
    expect(parseOnChange(written)).toBeDefined();
  });

  it("refuses a spread of what isn't restarted, another word, and a service that gets nothing", async () => {
    const of = (lines: string) => system(lib, `${node}${secrets} sealaunch.services.${lines}`);
    const { failed } = await of(`app.spread = { atOnce = 3; };`);
    expect(failed).toEqual([
      `sealaunch.services.app.spread is of nothing: its onChange says "nothing".`,
    ]);
    expect((await of(`other.onChange = "restart";`)).failed.join()).toContain(
      "sealaunch.services.other: no secret or template is for that service",
    );
    await expect(of(`app.onChange = "signal=KILL";`)).rejects.toThrow(
      "sealaunch.services.app.onChange",
    );
  });

  it("refuses two files of one name for one service", async () => {
    const { failed } = await system(
      lib,
      `${node}${secrets} sealaunch.secrets.other = { bundle = "db"; service = "app"; credential = "database"; };`,
    );
    expect(failed.join()).toContain("service app would get two files of the name database");
  });

  it("refuses a service that doesn't exist, and a node without an agent", async () => {
    await expect(
      system(lib, `${node} sealaunch.secrets.x = { bundle = "b"; service = "nowhere"; };`),
    ).rejects.toThrow("there is no systemd.services.nowhere");
    const { failed } = await system(lib, secrets);
    expect(failed.join()).toContain("services.sealaunch.enable");
  });
});
