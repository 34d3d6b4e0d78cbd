import { describe, expect, it } from "vitest";
import { parseClaim } from "../../src/agent/claim.ts";

describe("the name of a socket that systemd connects from", () => {
  it.for([
    ["5f3d6f7d71ec79a/unit/dns.service/CF_TOKEN", "dns.service", "CF_TOKEN"],
    ["0/unit/a@b.service/sealaunch", "a@b.service", "sealaunch"],
    [
      String.raw`1234567890abcdef/unit/a\x2db.service/app.conf`,
      String.raw`a\x2db.service`,
      "app.conf",
    ],
  ])("is a claim: %s", ([name = "", unit, credential]) => {
    expect(parseClaim(name)).toEqual({ unit, credential });
  });

  it.for([
    "",
    "dns.service",
    "12345678901234567/unit/dns.service/A",
    "abc/unit/dns.service",
    "abc/unit/dns.service/A/B",
    "abc/unit//A",
    "abc/unit/dns.service/",
    "abc/unit/dns.socket/A",
    "abc/unit/-p.service/A",
    "abc/unit/dns.service/A\n",
    "abc/unit/dns.service/../A",
    "abc/user/dns.service/A",
    "ABC/unit/dns.service/A",
    `abc/unit/${"n".repeat(76)}.service/A`,
  ])("is nothing: %j", (name) => {
    expect(parseClaim(name)).toBeUndefined();
  });
});
