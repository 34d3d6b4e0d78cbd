import { nvd, osv } from "./judging.ts";

/**
 * What upstreams say themselves of which releases an advisory is about, written by hand from the
 * page that each row names; and the records of databases, in the form of theirs. Each row lists
 * every package below that bears the product's name.
 */
interface Row {
  /** Where upstream says it. */
  readonly source: string;
  readonly id: string;
  readonly record: object;
  readonly affected: readonly string[];
  /** Those of which nobody can tell, and why. */
  readonly possible?: Readonly<Record<string, string>>;
  readonly unaffected: readonly string[];
}

/** Bounds in few words: `>=1.0 <2.0`, `<=3`, `=1.2`, `*`. */
function bounds(text: string): Readonly<Record<string, string>> {
  const names: Readonly<Record<string, string>> = {
    ">=": "versionStartIncluding",
    ">": "versionStartExcluding",
    "<=": "versionEndIncluding",
    "<": "versionEndExcluding",
  };
  return Object.fromEntries(
    text.split(" ").map((bound) => {
      const [, operator = "", version = ""] = /^([<>]=?)(.*)$/.exec(bound) ?? [];
      return [names[operator] ?? "", version];
    }),
  );
}

/** A record of NVD for one product. */
function record(id: string, product: string, ...ranges: readonly string[]): object {
  const matches = ranges.map((range) =>
    range.startsWith("=")
      ? { cpe: `${product}:${range.slice(1)}` }
      : { cpe: product, bounds: bounds(range) },
  );
  return nvd(id, matches);
}

// prettier-ignore
export const truth: readonly Row[] = [
  { id: "CVE-2022-0778", source: "https://www.openssl.org/news/secadv/20220315.txt",
    record: record("CVE-2022-0778", "a:openssl:openssl", ">=1.0.2 <1.0.2zd", ">=1.1.0 <1.1.1n", ">=3.0.0 <3.0.2"),
    affected: ["openssl-1.0.2u", "openssl-1.1.1m", "openssl-3.0.1"], unaffected: ["openssl-1.1.1n", "openssl-1.1.1t", "openssl-3.0.7", "openssl-3.0.8"] },
  { id: "CVE-2023-0286", source: "https://www.openssl.org/news/secadv/20230207.txt",
    record: record("CVE-2023-0286", "a:openssl:openssl", ">=1.0.2 <1.0.2zg", ">=1.1.1 <1.1.1t", ">=3.0.0 <3.0.8"),
    affected: ["openssl-1.0.2u", "openssl-1.1.1m", "openssl-1.1.1n", "openssl-3.0.1", "openssl-3.0.7"], unaffected: ["openssl-1.1.1t", "openssl-3.0.8"] },
  { id: "CVE-2023-38545", source: "https://curl.se/docs/CVE-2023-38545.html",
    record: record("CVE-2023-38545", "a:haxx:libcurl", ">=7.69.0 <8.4.0"),
    affected: ["curl-7.69.0", "curl-8.3.0-bin"], unaffected: ["curl-7.68.0", "curl-8.4.0"] },
  { id: "CVE-2022-37434", source: "https://github.com/madler/zlib/releases/tag/v1.2.13",
    record: record("CVE-2022-37434", "a:zlib:zlib", "<=1.2.12"),
    affected: ["zlib-1.2.11", "zlib-1.2.12"], unaffected: ["zlib-1.2.13", "zlib-1.3.1"] },
  { id: "CVE-2018-25032", source: "https://www.openwall.com/lists/oss-security/2022/03/24/1",
    record: record("CVE-2018-25032", "a:zlib:zlib", "<1.2.12"),
    affected: ["zlib-1.2.11"], unaffected: ["zlib-1.2.12", "zlib-1.2.13", "zlib-1.3.1"] },
  { id: "CVE-2022-25235", source: "https://blog.hartwork.org/posts/expat-2-4-5-released/",
    record: record("CVE-2022-25235", "a:libexpat_project:libexpat", "<2.4.5"),
    affected: ["expat-2.4.4"], unaffected: ["expat-2.4.5", "expat-2.5.0"] },
  { id: "CVE-2021-3156", source: "https://www.sudo.ws/security/advisories/unescape_overflow/",
    record: record("CVE-2021-3156", "a:sudo_project:sudo", ">=1.8.2 <1.8.32", ">=1.9.0 <1.9.5", "=1.9.5:-", "=1.9.5:patch1"),
    affected: ["sudo-1.8.31p2", "sudo-1.9.4p2", "sudo-1.9.5p1"], unaffected: ["sudo-1.9.5p2", "sudo-1.9.13p3"] },
  { id: "CVE-2024-6387", source: "https://www.openssh.com/txt/release-9.8",
    record: record("CVE-2024-6387", "a:openbsd:openssh", "<4.4", "=4.4:-", ">=8.5 <9.8"),
    affected: ["openssh-8.5p1", "openssh-9.7p1"], unaffected: ["openssh-8.4p1", "openssh-9.8p1", "openssh-10.0p2"] },
  { id: "CVE-2023-4911", source: "https://sourceware.org/git/?p=glibc.git;a=blob;f=advisories/GLIBC-SA-2023-0004",
    record: record("CVE-2023-4911", "a:gnu:glibc", ">=2.34 <2.39"),
    affected: ["glibc-2.34-210", "glibc-2.37-8"], unaffected: ["glibc-2.33-117", "glibc-2.39-5-bin", "glibc-2.42-67-getent"] },
  { id: "CVE-2021-4034", source: "https://gitlab.freedesktop.org/polkit/polkit/-/blob/121/NEWS.md",
    record: record("CVE-2021-4034", "a:polkit_project:polkit", "<121"),
    affected: ["polkit-0.120"], unaffected: ["polkit-121", "polkit-124"] },
  { id: "CVE-2024-3094", source: "https://tukaani.org/xz-backdoor/",
    record: record("CVE-2024-3094", "a:tukaani:xz", "=5.6.0:-", "=5.6.1:-"),
    affected: ["xz-5.6.0", "xz-5.6.1-bin"], unaffected: ["xz-5.2.5", "xz-5.4.6", "xz-5.6.2"] },
  { id: "CVE-2022-1271", source: "https://tukaani.org/xz/xzgrep-ZDI-CAN-16587.patch, https://lists.gnu.org/r/bug-gzip/2022-04/msg00011.html",
    record: nvd("CVE-2022-1271", [{ cpe: "a:tukaani:xz", bounds: bounds("<=5.2.5") }, { cpe: "a:gnu:gzip", bounds: bounds("<1.12") }]),
    affected: ["xz-5.2.5", "gzip-1.11"], unaffected: ["gzip-1.12", "gzip-1.13", "xz-5.4.6", "xz-5.6.0", "xz-5.6.1-bin", "xz-5.6.2"] },
  { id: "CVE-2022-44268", source: "https://github.com/ImageMagick/Website/blob/main/ChangeLog.md (7.1.0-52)",
    record: record("CVE-2022-44268", "a:imagemagick:imagemagick", ">=7.1.0-0 <7.1.0-52"),
    affected: ["imagemagick-7.1.0-49", "imagemagick-7.1.0-9"], unaffected: ["imagemagick-7.1.0-52", "imagemagick-7.1.1-32"] },
  { id: "CVE-2022-0847", source: "https://dirtypipe.cm4all.com/",
    record: record("CVE-2022-0847", "o:linux:linux_kernel", ">=5.8 <5.10.102", ">=5.15 <5.15.25", ">=5.16 <5.16.11"),
    affected: ["linux-5.10.101", "linux-5.15.24-modules", "linux-5.16.10"], unaffected: ["linux-5.7.19", "linux-5.10.102", "linux-5.15.25", "linux-6.6.63", "linux-headers-5.10.101"] },
  { id: "CVE-2021-41773", source: "https://httpd.apache.org/security/vulnerabilities_24.html",
    record: record("CVE-2021-41773", "a:apache:http_server", "=2.4.49"),
    affected: ["apache-httpd-2.4.49"], unaffected: ["apache-httpd-2.4.48", "apache-httpd-2.4.50"] },
  { id: "CVE-2021-23017", source: "https://nginx.org/en/security_advisories.html",
    record: record("CVE-2021-23017", "a:f5:nginx", ">=0.6.18 <1.20.1"),
    affected: ["nginx-1.18.0", "nginx-1.20.0"], unaffected: ["nginx-1.20.1", "nginx-1.24.0"] },
  { id: "CVE-2023-44487", source: "https://github.com/nghttp2/nghttp2/security/advisories/GHSA-vx74-f528-fxqg, https://nodejs.org/en/blog/vulnerability/october-2023-security-releases",
    record: nvd("CVE-2023-44487", [{ cpe: "a:nghttp2:nghttp2", bounds: bounds("<1.57.0") }, { cpe: "a:nodejs:node.js", bounds: bounds(">=18.0.0 <18.18.2") }, { cpe: "a:nodejs:node.js", bounds: bounds(">=20.0.0 <20.8.1") }]),
    affected: ["nghttp2-1.56.0-lib", "nodejs-18.18.1", "nodejs-slim-20.8.0"], unaffected: ["nghttp2-1.57.0", "nodejs-18.18.2", "nodejs-20.8.1", "nodejs-22.11.0"] },
  { id: "CVE-2021-3177", source: "https://python-security.readthedocs.io/vuln/ctypes-buffer-overflow-pycarg_repr.html",
    record: record("CVE-2021-3177", "a:python:python", ">=3.6.0 <3.6.13", ">=3.7.0 <3.7.10", ">=3.8.0 <3.8.8", ">=3.9.0 <3.9.2"),
    affected: ["python3-3.8.7", "python3-3.9.1-env"], unaffected: ["python3-3.8.8", "python3-3.9.2", "python3-3.13.0a6", "python-2.7.18"] },
  { id: "CVE-2022-35737", source: "https://www.sqlite.org/cves.html",
    record: record("CVE-2022-35737", "a:sqlite:sqlite", ">=1.0.12 <3.39.2"),
    affected: ["sqlite-3.39.1-bin"], unaffected: ["sqlite-3.39.2", "sqlite-3.43.2"] },
  { id: "CVE-2024-32002", source: "https://github.com/git/git/security/advisories/GHSA-8h77-4q3w-gfgv",
    record: record("CVE-2024-32002", "a:git:git", "<2.39.4", ">=2.40.0 <2.40.2", ">=2.41.0 <2.41.1", ">=2.42.0 <2.42.2", ">=2.43.0 <2.43.4", "=2.44.0", "=2.45.0"),
    affected: ["git-2.38.1", "git-2.43.3", "git-minimal-2.44.0"], unaffected: ["git-2.39.4", "git-2.43.4", "git-2.44.1", "git-2.47.0"] },
  { id: "CVE-2014-6271", source: "https://ftp.gnu.org/gnu/bash/bash-4.3-patches/bash43-025",
    record: record("CVE-2014-6271", "a:gnu:bash", "=4.2", "=4.3"),
    affected: [], possible: { "bash-4.3-p24": "version 4.3; 4.3-p24 is a build or patch level of 4.3" }, unaffected: ["bash-4.4-p12", "bash-interactive-5.1-p16"] },
  { id: "CVE-2022-40303", source: "https://gitlab.gnome.org/GNOME/libxml2/-/releases/v2.10.3",
    record: record("CVE-2022-40303", "a:xmlsoft:libxml2", "<2.10.3"),
    affected: ["libxml2-2.9.14-py"], unaffected: ["libxml2-2.10.3", "libxml2-2.13.4"] },
  { id: "CVE-2023-4863", source: "https://www.mozilla.org/en-US/security/advisories/mfsa2023-40/, https://github.com/webmproject/libwebp/releases/tag/v1.3.2",
    record: nvd("CVE-2023-4863", [{ cpe: "a:google:chrome", bounds: bounds("<116.0.5845.187") }, { cpe: "a:mozilla:firefox", bounds: bounds("<117.0.1") }, { cpe: "a:mozilla:firefox_esr", bounds: bounds("<102.15.1") }, { cpe: "a:webmproject:libwebp", bounds: bounds("<1.3.2") }]),
    affected: ["firefox-117.0", "libwebp-1.3.1"], unaffected: ["firefox-117.0.1", "firefox-153.0", "libwebp-1.3.2"] },
  { id: "CVE-2026-0153", source: "a bound as in https://github.com/nix-community/vulnix/issues/67: 153.0 is 153.0.0",
    record: record("CVE-2026-0153", "a:mozilla:firefox", "<153.0.0"),
    affected: ["firefox-117.0", "firefox-117.0.1"], unaffected: ["firefox-153.0"] },
  { id: "CVE-2023-48795", source: "https://www.libssh.org/security/advisories/CVE-2023-48795.txt",
    record: record("CVE-2023-48795", "a:libssh:libssh", "<0.9.8", ">=0.10.0 <0.10.6"),
    affected: ["libssh-0.9.7", "libssh-0.10.5"], unaffected: ["libssh-0.9.8", "libssh-0.10.6"] },
  { id: "CVE-2020-8625", source: "https://kb.isc.org/docs/cve-2020-8625",
    record: record("CVE-2020-8625", "a:isc:bind", ">=9.5.0 <=9.11.27", ">=9.12.0 <=9.16.11"),
    affected: ["bind-9.16.11-dnsutils"], unaffected: ["bind-9.16.12", "bind-9.18.28-lib"] },
  { id: "CVE-2020-25681", source: "https://thekelleys.org.uk/dnsmasq/CHANGELOG (2.83)",
    record: record("CVE-2020-25681", "a:thekelleys:dnsmasq", "<2.83"),
    affected: ["dnsmasq-2.82"], unaffected: ["dnsmasq-2.83", "dnsmasq-2.90"] },
  { id: "CVE-2023-5869", source: "https://www.postgresql.org/support/security/CVE-2023-5869/",
    record: record("CVE-2023-5869", "a:postgresql:postgresql", ">=11.0 <11.22", ">=12.0 <12.17", ">=13.0 <13.13", ">=14.0 <14.10", ">=15.0 <15.5", "=16.0"),
    affected: ["postgresql-15.4-lib", "postgresql-16.0"], unaffected: ["postgresql-15.5", "postgresql-16.1"] },
  { id: "CVE-2024-27297", source: "https://github.com/NixOS/nix/security/advisories/GHSA-2ffj-w4mj-pg37",
    record: record("CVE-2024-27297", "a:nixos:nix", "<2.3.18", ">=2.4 <2.18.2", ">=2.19.0 <2.19.4", ">=2.20.0 <2.20.5"),
    affected: ["nix-2.18.1", "nix-2.3.17"], unaffected: ["nix-2.3.18", "nix-2.18.2", "nix-2.24.9"] },
  { id: "CVE-2022-0563", source: "https://lore.kernel.org/util-linux/20220214110609.msiwlm457ngoic6w@ws.net.home/T/",
    record: record("CVE-2022-0563", "a:kernel:util-linux", "<2.37.4"),
    affected: ["util-linux-minimal-2.37.3-lib"], unaffected: ["util-linux-2.37.4", "util-linux-minimal-2.42-login"] },
  { id: "CVE-2021-33910", source: "https://www.openwall.com/lists/oss-security/2021/07/20/2",
    record: record("CVE-2021-33910", "a:systemd_project:systemd", ">=220 <246.15", ">=247 <247.8", ">=248 <248.5", ">=249 <249.1"),
    affected: ["systemd-247.7", "systemd-minimal-248.4"], unaffected: ["systemd-248.5", "systemd-249.1", "systemd-256.7"] },
  { id: "CVE-2018-1000500", source: "https://busybox.net/news.html (1.32.0)",
    record: record("CVE-2018-1000500", "a:busybox:busybox", "<1.32.0"),
    affected: ["busybox-1.31.1"], unaffected: ["busybox-1.32.0", "busybox-1.36.1"] },
  { id: "CVE-2016-3189", source: "https://sourceware.org/bzip2/ (1.0.7)",
    record: record("CVE-2016-3189", "a:bzip:bzip2", "=1.0.6"),
    affected: ["bzip2-1.0.6.0.2"], unaffected: ["bzip2-1.0.8"] },
  { id: "CVE-2024-21626", source: "https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv",
    record: record("CVE-2024-21626", "a:linuxfoundation:runc", "<1.1.12"),
    affected: ["runc-1.1.11"], unaffected: ["runc-1.1.12"] },
  { id: "CVE-2023-39325", source: "https://pkg.go.dev/vuln/GO-2023-2102",
    record: record("CVE-2023-39325", "a:golang:go", "<1.20.10", ">=1.21.0 <1.21.3"),
    affected: ["go-1.20.9", "go-1.21.2"], unaffected: ["go-1.20.10", "go-1.21.3"] },
  { id: "CVE-2022-24834", source: "https://github.com/redis/redis/security/advisories/GHSA-p8x2-9v9q-c838",
    record: record("CVE-2022-24834", "a:redis:redis", ">=2.6 <6.0.20", ">=6.2.0 <6.2.13", ">=7.0.0 <7.0.12"),
    affected: ["redis-6.2.12", "redis-7.0.11"], unaffected: ["redis-6.2.13", "redis-7.0.12"] },
  { id: "CVE-2022-32746", source: "https://www.samba.org/samba/security/CVE-2022-32746.html",
    record: record("CVE-2022-32746", "a:samba:samba", ">=4.3.0 <4.14.14", ">=4.15.0 <4.15.9", ">=4.16.0 <4.16.4"),
    affected: ["samba-4.15.8"], unaffected: ["samba-4.15.9", "samba-4.16.4", "samba-4.20.4"] },
  { id: "CVE-2018-10906", source: "https://github.com/libfuse/libfuse/releases/tag/fuse-3.2.5",
    record: record("CVE-2018-10906", "a:libfuse_project:libfuse", "<2.9.8", ">=3.0.0 <3.2.5"),
    affected: ["fuse-2.9.7", "fuse3-3.2.4"], unaffected: ["fuse-2.9.9", "fuse3-3.16.2"] },
  { id: "CVE-2016-6354", source: "https://github.com/westes/flex/releases/tag/v2.6.1",
    record: record("CVE-2016-6354", "a:westes:flex", "<2.6.1"),
    affected: ["flex-2.6.0"], unaffected: ["flex-2.6.4-lib"] },
  { id: "CVE-2021-44647", source: "https://www.lua.org/bugs.html#5.4.3",
    record: record("CVE-2021-44647", "a:lua:lua", "=5.4.3"),
    affected: ["lua-5.4.3"], unaffected: ["lua-5.2.4", "lua-5.4.4"] },
  { id: "CVE-2023-50246", source: "https://github.com/jqlang/jq/security/advisories/GHSA-686w-5m7m-54vc",
    record: record("CVE-2023-50246", "a:jqlang:jq", "=1.7:-"),
    affected: ["jq-1.7-bin"], unaffected: ["jq-1.6", "jq-1.7.1"] },
  { id: "CVE-2022-2509", source: "https://www.gnutls.org/security-new.html#GNUTLS-SA-2022-07-07",
    record: record("CVE-2022-2509", "a:gnu:gnutls", ">=3.6.0 <3.7.7"),
    affected: ["gnutls-3.7.6"], unaffected: ["gnutls-3.7.7", "gnutls-3.8.6"] },
  { id: "CVE-2021-46848", source: "https://gitlab.com/gnutls/libtasn1/-/blob/v4.19.0/NEWS",
    record: record("CVE-2021-46848", "a:gnu:libtasn1", "<4.19.0"),
    affected: ["libtasn1-4.18.0"], unaffected: ["libtasn1-4.19.0"] },
  { id: "CVE-2020-28196", source: "https://web.mit.edu/kerberos/krb5-1.18/README-1.18.3.txt",
    record: record("CVE-2020-28196", "a:mit:kerberos_5", "<1.17.2", ">=1.18.0 <1.18.3"),
    affected: ["libkrb5-1.18.2", "krb5-1.17.1"], unaffected: ["libkrb5-1.18.3", "krb5-1.21.3"] },
  { id: "CVE-2022-42010", source: "https://gitlab.freedesktop.org/dbus/dbus/-/blob/dbus-1.14.4/NEWS",
    record: record("CVE-2022-42010", "a:freedesktop:dbus", "<1.12.24", ">=1.13.0 <1.14.4", ">=1.15.0 <1.15.2"),
    affected: ["dbus-1.14.2-lib"], unaffected: ["dbus-1.14.4", "dbus-1.14.10"] },
  { id: "CVE-2023-32681", source: "https://github.com/psf/requests/security/advisories/GHSA-j8r2-6x86-q33q",
    record: osv("GHSA-j8r2-6x86-q33q", "PyPI", "requests", [{ introduced: "2.3.0" }, { fixed: "2.31.0" }], { aliases: ["CVE-2023-32681"] }),
    affected: ["python3.11-requests-2.30.0"], unaffected: ["python3.11-requests-2.31.0"] },
];

/** Other products of the same names: none of these records is about any of the packages. */
export const otherProducts: readonly object[] = [
  // Plugins, stacks and libraries that are known to be something else (vulnix #62, nix-security-tracker #137).
  record("CVE-2022-30947", "a:jenkins:git:*:*:*:*:*:jenkins", "<=4.11.1"),
  record("CVE-2019-1003010", "a:jenkins:git", "<=99"),
  record("CVE-2020-25689", "a:redhat:fuse", "<=99", "=1.0"),
  record("CVE-2017-3066", "a:adobe:flex", "<=99"),
  record("CVE-2019-6462", "a:apache:flex", "<=99"),
  record("CVE-2018-0001", "a:lua:lua:*:*:*:*:*:node.js", "<=99"),
  osv("GHSA-0001", "npm", "lua", [{ introduced: "0" }]),
  osv("GHSA-0002", "npm", "git", [{ introduced: "0" }]),
  osv("GHSA-0003", "Hackage", "zlib", [{ introduced: "0" }]),
  osv("GHSA-0004", "crates.io", "openssl", [{ introduced: "0" }]),
  osv("GHSA-0005", "Go", "redis", [{ introduced: "0" }]),
  osv("GHSA-0006", "RubyGems", "sqlite", [{ introduced: "0" }]),
  osv("GHSA-0007", "Debian:12", "nginx", [{ introduced: "0" }]),
  record("CVE-2018-0002", "a:jenkins:redis", "<=99"),
  record("CVE-2018-0003", "a:redis:redis:*:*:*:*:*:wordpress", "<=99"),
  record("CVE-2018-0004", "a:nginx:nginx:*:*:*:*:*:docker", "<=99"),
  record("CVE-2018-0005", "h:linux:linux_kernel", "<=99"),
];
