import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { matchesShown, Workplace } from "../fixtures/worked-example.ts";
import { textOfFile } from "../source.ts";
import { evaluateSystem, libs } from "./evaluate.ts";

const pages = ["nixos", "migrating-from-agenix", "migrating-from-sops-nix"].map(
  (name) => `docs/${name}.md`,
);

const node = `services.sealaunch = {
  enable = true;
  cluster = "1a918347a15aa69af094a9ad5cb601bf";
  roots = [ "ssh-ed25519 AAAAC3Nz" ];
  source = "dir:/srv/secrets";
};
systemd.services.nginx.serviceConfig.ExecStart = "/run/current-system/sw/bin/nginx";`;

function blocks(page: string, language: string): string[] {
  const found = textOfFile(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gmsu"));
  return [...found].map(([, block = ""]) => block);
}

describe.each(libs)("the NixOS configurations of the documents, evaluated with $name", (lib) => {
  const examples = pages.flatMap((page) =>
    blocks(page, "nix")
      // What one has before is another project's.
      .filter((block) => !/\b(age|sops)\.secrets\b/u.test(block))
      .map((block, index) => ({ page, index, block })),
  );

  it("are five", () => {
    expect(examples).toHaveLength(5);
  });

  it.for(examples)("are right: $page, $index", async ({ block }) => {
    const enabled = block.includes("enable = true;") ? "{ }" : `{ ${node} }`;
    const found = await evaluateSystem(lib, `{ imports = [ (${block}) ${enabled} ]; }`);
    expect(found).toMatchObject({ failed: [], socket: ["sockets.target"] });
    if (block.includes("sealaunch.secrets")) {
      expect(JSON.stringify(found)).toContain("unit --wrap");
    }
  });
});

describe("the commands of migrating-from-agenix.md", () => {
  const workplace = new Workplace();
  const values: Record<string, string> = {
    "database-password": "hunter2\n\twith a tail ",
    "api-token": "correct horse battery staple",
    session: "a",
  };
  beforeAll(() => {
    const setUp = [
      "sealaunch identity create operator.identity",
      "sealaunch init --operator operator.identity --yes",
      "ssh-keygen -q -t ed25519 -N '' -C n1 -f host_key",
      "sealaunch identity create --into n1 --node n1 --host-key host_key --state n1/state",
      `echo "n1 $(cut -d ' ' -f 1,2 host_key.pub)" >known_hosts`,
      "sealaunch roster add-pool web --yes",
      "sealaunch roster add-node n1 --pool web --known-hosts known_hosts --yes",
      "sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name app --yes",
    ];
    mkdirSync(join(workplace.directory, "secrets"));
    const encrypt = Object.entries(values).map(
      ([name, value]) =>
        `printf %s '${value}' | age --encrypt -R ~/.ssh/id_ed25519.pub -o secrets/${name}.age`,
    );
    const { status, stderr } = workplace.run(["set -e", ...setUp, ...encrypt].join("\n"));
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
  afterAll(() => {
    workplace[Symbol.dispose]();
  });

  const steps = blocks("docs/migrating-from-agenix.md", "console").flatMap((block) =>
    block.split(/^(?=\$ )/mu).map((text) => {
      const [prompted = "", ...shown] = text.trimEnd().split("\n");
      return { command: prompted.slice(2), shown };
    }),
  );
  const printed: string[] = [];

  it.for(steps)("work: $command", ({ command, shown }) => {
    const { status, stdout, stderr } = workplace.run(command);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    if (shown.length > 0) expect(stdout).toSatisfy((output: string) => matchesShown(output, shown));
    printed.push(stdout);
  });

  it("end with the same value in both, to the byte", () => {
    const [before, after] = printed.filter((output) => output.endsWith("  -\n"));
    expect(before).toBeDefined();
    expect(after).toBe(before);
    for (const [name, value] of Object.entries(values)) {
      const { stdout } = workplace.run(
        `sealaunch open app ${name === "session" ? "session-key" : name} --identity operator.identity`,
      );
      expect(stdout).toBe(value);
    }
  });
});
