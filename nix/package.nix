# Sealaunch as a package of nixpkgs: `pkgs.callPackage ./nix/package.nix { }`.
#
# Node is nixpkgs' own: the one that comes from npm is linked for other systems. All else is what
# package-lock.json names, by its hashes.
{
  lib,
  buildNpmPackage,
  importNpmLock,
  nodejs_24,
}:
let
  root = ../.;
  packageFile = builtins.fromJSON (builtins.readFile (root + "/package.json"));
  lockFile = builtins.fromJSON (builtins.readFile (root + "/package-lock.json"));
  isNode = name: builtins.match "(node_modules/)?node-(linux|bin)-.*" name != null;
  withoutNode = lib.filterAttrs (name: _: !isNode name);
  trim = package: package // { optionalDependencies = withoutNode (package.optionalDependencies or { }); };

  # What the build reads, so that a change of a document or a test builds nothing anew.
  sources = [ "bin" "build.ts" "package.json" "package-lock.json" "script" "src" "systemd" "tsconfig.json" "wrapper" "LICENSE" ];
in
buildNpmPackage {
  pname = "sealaunch";
  inherit (packageFile) version;
  src = builtins.path {
    name = "sealaunch-source";
    path = root;
    filter =
      path: _:
      let
        below = lib.removePrefix (toString root + "/") (toString path);
        top = builtins.head (builtins.split "/" below);
      in
      builtins.elem top sources;
  };

  nodejs = nodejs_24;
  npmDeps = importNpmLock {
    package = trim packageFile;
    packageLock = lockFile // {
      packages = withoutNode lockFile.packages // {
        "" = trim lockFile.packages."";
      };
    };
  };
  npmConfigHook = importNpmLock.npmConfigHook;

  # `npm run build` is done; what it made and what that needs goes into place as in script/deb. bin/sealaunch
  # finds the rest beside itself, without a program of the machine, so that it also runs in a build.
  installPhase = ''
    runHook preInstall
    node -p 'Object.keys(require("./dist/meta.json").outputs).join("\n")' | while read -r file; do
      install -D -m 0644 "$file" "$out/$file"
    done
    install -D -m 0755 bin/sealaunch "$out/bin/sealaunch"
    install -D -m 0755 wrapper/bin/sealaunch "$out/wrapper/bin/sealaunch"
    node script/shipped.ts | while read -r package; do
      case $package in
        node_modules/node-linux-*)
          mkdir -p "$out/$package/bin"
          ln -s ${nodejs_24}/bin/node "$out/$package/bin/node"
          ;;
        *)
          mkdir -p "$out/''${package%/*}"
          cp -RL "$package" "$out/$package"
          ;;
      esac
    done
    mkdir -p "$out/lib/systemd/system"
    for unit in systemd/*.socket systemd/*.service systemd/*.timer; do
      substitute "$unit" "$out/lib/systemd/system/''${unit#systemd/}" \
        --replace-quiet /usr/bin/sealaunch "$out/bin/sealaunch"
    done
    install -D -m 0644 LICENSE "$out/share/doc/sealaunch/LICENSE"
    runHook postInstall
  '';

  # The wrapper's bytes give its store path, which every machine has to agree on; /bin/sh is on NixOS too.
  dontPatchShebangs = true;

  doInstallCheck = true;
  installCheckPhase = ''
    [ "$("$out/bin/sealaunch" --version)" = ${packageFile.version} ]
    cmp wrapper/bin/sealaunch "$out/wrapper/bin/sealaunch"
  '';

  passthru.wrapper = import ./wrapper.nix;

  meta = {
    inherit (packageFile) description;
    license = lib.licenses.asl20;
    platforms = [ "x86_64-linux" "aarch64-linux" ];
    mainProgram = "sealaunch";
  };
}
