import { describe, expect, it } from "vitest";
import { componentOf } from "../../src/scan/component.ts";
import { cveIdsIn } from "../../src/scan/cve-ids.ts";
import { compareVersions } from "../../src/scan/version.ts";
import { upstreams } from "../../src/scan/advisories/upstreams.ts";
import { expectLinear } from "./growth.ts";

const inStore = (name: string): string => `/nix/store/2q5wk1k1j3n4ls0d8ay5n1ffbjz0fcrm-${name}`;

describe("a store path alone says", () => {
  // Names as they stand in stores, among them each that the research found other tools to misread.
  it.for([
    ["openssl-1.1.1q", "openssl", "1.1.1q", undefined],
    ["openssl-3.0.7-bin", "openssl", "3.0.7", undefined],
    ["curl-8.20.0-bin", "curl", "8.20.0", undefined],
    ["util-linux-minimal-2.42-login", "util-linux", "2.42", undefined],
    ["bash-interactive-5.1-p16-man", "bash", "5.1-p16", undefined],
    ["glibc-2.42-67", "glibc", "2.42-67", undefined],
    ["glibc-2.42-67-getent", "glibc", "2.42-67", undefined],
    ["editline-1.17.1-unstable-2025-05-24", "editline", "1.17.1-unstable-2025-05-24", undefined],
    ["libedit-20210910-3.1", "libedit", "20210910-3.1", undefined],
    ["webdav-server-rs-unstable-2021-08-16", "webdav-server-rs", "unstable-2021-08-16", undefined],
    ["perl5.34.1-TimeDate-2.33", "TimeDate", "2.33", "cpan"],
    ["python3.11-requests-2.31.0", "requests", "2.31.0", "pypi"],
    ["python2.7-pytest-runner-2.6.2", "pytest-runner", "2.6.2", "pypi"],
    ["ruby3.3.5-nokogiri-1.16.7", "nokogiri", "1.16.7", "gem"],
    ["lua5.2-luasocket-3.1.0", "luasocket", "3.1.0", "luarocks"],
    ["python3-3.12.7", "python3", "3.12.7", undefined],
    ["python3-minimal-3.12.7", "python3", "3.12.7", undefined],
    ["python-2.7.17-env", "python3", "2.7.17", undefined],
    ["nodejs-slim-22.11.0", "nodejs", "22.11.0", undefined],
    ["libkrb5-1.21.3", "krb5", "1.21.3", undefined],
    ["xgcc-13.2.0-libgcc", "gcc", "13.2.0", undefined],
    ["gcc-13.2.0-lib", "gcc", "13.2.0", undefined],
    ["linux-6.6.63-modules-shrunk", "linux", "6.6.63", undefined],
    ["linux-headers-6.10", "linux-headers", "6.10", undefined],
    ["x-2-thing-1.0", "x", "2-thing-1.0", undefined],
    ["bundler-1.10.5-0", "bundler", "1.10.5-0", undefined],
    ["junit-4.13.2", "junit", "4.13.2", undefined],
    ["imagemagick-7.1.1-32", "imagemagick", "7.1.1-32", undefined],
    ["db-4.8.30", "db", "4.8.30", undefined],
    ["aarch64-unknown-linux-gnu-binutils-2.41", "binutils", "2.41", undefined],
    ["emacs-nox-29.4", "emacs-nox", "29.4", undefined],
    ["emacs-magit-20241101.1", "magit", "20241101.1", "elpa"],
    ["php-with-extensions-8.2.12", "php", "8.2.12", undefined],
    ["php-redis-6.0.2", "redis", "6.0.2", "pecl"],
    ["xercesc", "xercesc", undefined, undefined],
    ["hello", "hello", undefined, undefined],
  ] as const)("%s is %s %s", ([text, name, version, ecosystem]) => {
    expect(componentOf(inStore(text))).toEqual({
      path: inStore(text),
      name,
      version,
      ecosystem,
      patches: [],
      fixes: [],
      sources: [],
      from: "path",
    });
  });

  it.for([
    "CVE-2020-1234.patch",
    "0001-fix-CVE-2019-9999.patch",
    "0001-fix.patch.xz",
    "openssl-3.0.7.drv",
    "openssl-3.0.7.tar.gz",
    "linux-6.1.tar.xz",
    "rails-7.0.gem",
    "network-2.6.3.2-r1.cabal",
    "Cargo.lock",
    "fix.diff",
    "source",
    "zlib-1.2.13-source",
    "user-environment",
    "unit-nginx.service",
    "etc-nix.conf",
    "etc",
    "X-Restart-Triggers-nginx",
    "nixos-system-host-24.05",
    "system-path",
    "dbus-1",
    "nginx.conf",
    "nginx-1.24.0.json",
    "stdenv-linux",
    "bootstrap-tools",
    "users-groups.json",
    "unit-script-nginx-pre-start",
    "builder.sh",
  ])("%s is no package", (text) => {
    expect(componentOf(inStore(text))).toBeUndefined();
  });

  it.for([
    "openssl-3.0.7",
    "/nix/store/short-openssl-3.0.7",
    "/nix/store/2q5wk1k1j3n4ls0d8ay5n1ffbjz0fcrm-",
    "/usr/lib/openssl-3.0.7",
    inStore("a".repeat(300)),
    "",
  ])("nothing, if it is none: %s", (path) => {
    expect(componentOf(path)).toBeUndefined();
  });

  it.for(["__proto__-1.0", "constructor-1.0", "toString-1"])("nothing odd of %s", (text) => {
    expect(componentOf(inStore(text))?.name).toBe(text.split("-")[0]);
  });

  // A store path's name has 211 characters at most (nix-store(1)); what is longer is none.
  it.for(["-", "a-1", "-bin", "1-lib", "-1", "python3.11-"])(
    "what it says in its length's time, however it is made: %s again and again",
    async (piece) => {
      await expectLinear(
        12,
        (size) => inStore(`a${piece.repeat(size)}`.slice(0, 200)),
        (path) => {
          for (let again = 0; again < 1_000; again++) componentOf(path);
        },
      );
    },
  );
});

describe("a component that somebody knows more of", () => {
  it("has the publisher's name, version, patches and sources, and what they mend", () => {
    const component = componentOf(inStore("xercesc"), {
      path: inStore("xercesc"),
      name: "xercesc",
      version: "3.2.3",
      patches: [
        { name: "xercesc.patch", fixes: ["CVE-2018-1311"] },
        { name: "cve-2020-1_cve-2021-12345.patch", fixes: [] },
      ],
      fixes: ["CVE-2024-0001"],
      sources: ["https://archive.apache.org/dist/xerces/c/3/sources/xerces-c-3.2.3.tar.bz2"],
    });
    expect(component).toMatchObject({
      name: "xercesc",
      version: "3.2.3",
      patches: ["xercesc.patch", "cve-2020-1_cve-2021-12345.patch"],
      fixes: ["CVE-2024-0001", "CVE-2018-1311", "CVE-2021-12345"],
      from: "publisher",
    });
  });

  it("is another language's, if its sources come from there: Haskell's zlib isn't zlib", () => {
    const facts = {
      derivation: `${inStore("zlib-0.6.3.0")}.drv`,
      name: "zlib",
      version: "0.6.3.0",
      patches: [],
      fixes: [],
      sources: ["mirror://hackage/zlib-0.6.3.0.tar.gz"],
    };
    expect(componentOf(inStore("zlib-0.6.3.0"), facts)).toMatchObject({
      name: "zlib",
      ecosystem: "hackage",
      from: "derivation",
    });
  });

  it("is still no package where its path is none", () => {
    const path = inStore("nginx.conf");
    expect(
      componentOf(path, { path, name: "nginx", version: "1", patches: [], fixes: [], sources: [] }),
    ).toBeUndefined();
  });
});

describe("CVE ids", () => {
  it.for([
    ["CVE-2017-6833.patch", ["CVE-2017-6833"]],
    ["cve-2016-3189.patch", ["CVE-2016-3189"]],
    [
      "CVE-2017-6827+CVE-2017-6828+CVE-2017-6832.patch",
      ["CVE-2017-6827", "CVE-2017-6828", "CVE-2017-6832"],
    ],
    ["lua-5.2.4-CVE_2014_5461.patch", ["CVE-2014-5461"]],
    ["CVE-2016-2037-out-of-bounds-write.patch", ["CVE-2016-2037"]],
    ["0001-fix-CVE-2019-9999.patch", ["CVE-2019-9999"]],
    ["fix-build.patch", []],
    ["CVE-2020.patch", []],
    ["CVE-2020-1234-CVE-2020-1234", ["CVE-2020-1234"]],
  ] as const)("of %s", ([text, ids]) => {
    expect(cveIdsIn(text)).toEqual(ids);
  });
});

describe("the table of upstreams", () => {
  it("has each name once, products in CPE's form, an advisory for each, in order", () => {
    const names = upstreams.flatMap((one) => one.names);
    expect(new Set(names).size).toBe(names.length);
    for (const { names: of, cpe, others = [], seen, since } of upstreams) {
      for (const product of [...cpe, ...others])
        expect([of[0], product]).toEqual([
          of[0],
          expect.stringMatching(/^[a-z0-9._+-]+:[a-z0-9._+-]+$/),
        ]);
      expect(seen).toMatch(/^CVE-[0-9]{4}-[0-9]{4,}$/);
      expect(cpe.filter((product) => others.includes(product))).toEqual([]);
      if (since !== undefined) expect(compareVersions(since, "0")).toBeGreaterThan(0);
    }
  });
});
