/** What stands behind the hash of a store path, taken apart. */
export interface StoreName {
  readonly name: string;
  readonly version: string | undefined;
}

const prefix = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-/;

// Outputs of derivations in nixpkgs, as they stand behind a version.
const outputs = new Set(
  (
    "bin data debug dev devdoc devman dev_private dist dnsutils doc drivers env fonts getent " +
    "gsettings-schemas host info installedTests lib libgcc locales login man mount mql modules " +
    "modules-shrunk only-plugins-qml out py sandbox scripts sessions static su swap symbols terminfo " +
    "user utils wrapped xz zstd nss_latest checksum"
  ).split(" "),
);

// Files, by how their name ends: sources, patches, what derivations and configuration are made of.
const fileEnding =
  /\.(?:drv|patch|diff|lock|gem|crate|zip|tar|tgz|tbz2?|txz|gz|xz|bz2|zst|lzma|deb|rpm|cabal|sh|bash|conf|cfg|json|service|socket|timer|mount|path|target|slice|rules|preset|txt|md|nix|xml|toml|ya?ml|ini|pem|crt|key|img|iso|cpio|c|h|py|pl|el|css|html?|desktop|sql|service\.d|mbox|asc|sig)$/;
const isSource = /(?:^|-)(?:source|src|srcs|patches)$/;
// What NixOS, profiles and the standard environment make, and no upstream releases.
const made =
  /^(?:unit-|etc-|X-|nixos-(?:system|tested|rebuild-)|user-environment|system-(?:path|units|generators|shutdown)|user-units|initrd|stage-[12]|stdenv|bootstrap-|hook$|etc$|closure-info|builder$|profile$|env-manifest|home-manager-(?:files|path|generation)|activation-|dbus-1$|security-wrapper|users-groups|update-users-groups|tmpfiles\.d|udev-rules|hwdb|modules-load|sysctl|kernel-modules|firmware$|X11-|fonts-conf|fontconfig-(?:conf|cache)|profile-|set-environment|locale-archive|cross-|raw$)/;

function splitAt(text: string, at: number): StoreName {
  return { name: text.slice(0, at), version: text.slice(at + 1) };
}

/** `2.42-67` of `2.42-67-bin`: without the outputs that stand behind it. */
function withoutOutputs(version: string): string {
  let rest = version;
  for (;;) {
    const at = rest.lastIndexOf("-");
    // Two outputs have a dash of their own.
    const before = rest.lastIndexOf("-", at - 1);
    if (at > 0 && outputs.has(rest.slice(at + 1))) rest = rest.slice(0, at);
    else if (before > 0 && outputs.has(rest.slice(before + 1))) rest = rest.slice(0, before);
    else return rest;
  }
}

/**
 * Name and version of `text`, a derivation's name or what stands behind a store path's hash. Nix's
 * own rule (`builtins.parseDrvName`): the version begins behind the first dash that no letter
 * follows; but `unstable-DATE` belongs to it, and outputs behind it don't.
 */
export function splitName(text: string): StoreName {
  const at = /-(?=[0-9])/.exec(text)?.index;
  if (at === undefined || at === 0) return { name: text, version: undefined };
  const dated = text.slice(0, at).endsWith("-unstable") ? at - "-unstable".length : at;
  const { name, version } = splitAt(text, dated);
  return { name, version: version === undefined ? undefined : withoutOutputs(version) };
}

/**
 * What a store path's name says; undefined if it names no package: a file, a source, a patch, or
 * what NixOS made of packages.
 *
 * @param path - `/nix/store/HASH-NAME`
 */
export function storeName(path: string): StoreName | undefined {
  const text = path.replace(prefix, "");
  if (text === path || text === "" || text.length > 211) return undefined;
  if (fileEnding.test(text) || isSource.test(text) || made.test(text)) return undefined;
  return splitName(text);
}
