import { describe, expect, it } from "vitest";
import { okOnHost } from "./host.ts";
import { enrol } from "./enrolment.ts";
import { machine } from "./machine.ts";
import { addService } from "./services.ts";

const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";

// The key is root's when nginx reads it, the workers are nobody's.
const configuration = `
pid /run/web/pid;
user nobody nogroup;
error_log stderr;
daemon off;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:443 ssl;
    ssl_certificate certificate.pem;
    ssl_certificate_key /run/credentials/web.service/CF_TOKEN;
    location / { return 200 "it works"; }
  }
}`;

describe("Debian's nginx, from a store path", () => {
  it("is its unit's own process, has the TLS key that was sealed, and leaves nothing", async () => {
    const words = ["-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=web", "-keyout", "-"];
    const pem = await okOnHost("openssl", ["req", ...words, "-out", "-"]);
    const [key = "", certificate = ""] = pem.split(/(?=-----BEGIN CERTIFICATE)/u);
    await using node = await machine();
    await enrol(node, { secret: key, units: ["web.service"] });
    const path = await addService(node, "web", {
      programs: { nginx: "/usr/sbin/nginx" },
      scripts: { web: `#!/bin/sh\nexec "\${0%/*}/nginx" -c "\${0%/bin/*}/nginx.conf"\n` },
      files: { "nginx.conf": configuration, "certificate.pem": certificate },
    });
    await node.unit(
      "web.service",
      `[Service]
Type=exec
RuntimeDirectory=web
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=${wrapper} run --bundle dns -- ${path}/bin/web
`,
    );
    await node.ok("systemctl", ["start", "web"]);
    const ask = ["s_client", "-connect", "127.0.0.1:443"];
    await expect
      .poll(async () => (await node.run("openssl", ask)).stdout.toString())
      .toContain(certificate.trim());
    const pid = await node.show("web", "MainPID");
    expect(await node.sh(`readlink /proc/${pid}/exe`)).toBe(`${path}/bin/nginx\n`);
    await node.ok("systemctl", ["stop", "web"]);
    expect(await node.sh("ls /run/credentials /run; cat /proc/mounts")).not.toContain("web");
  });
});
