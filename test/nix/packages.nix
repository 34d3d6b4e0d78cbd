# As much of nixpkgs' packages as nix/*.nix use. Nothing is built: what a build would get is kept, to
# be looked at.
{ lib }:
let
  made = name: attributes: {
    type = "derivation";
    drvName = name;
    inherit name;
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
  } // attributes;
  pkgs = {
    inherit lib;
    callPackage = file: given:
      let function = import file; in
      function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // given);
    buildNpmPackage = attributes: made "${attributes.pname}-${attributes.version}" (attributes // attributes.passthru);
    importNpmLock = { __functor = _: given: given; npmConfigHook = "hook"; };
    nodejs_24 = made "nodejs-24" { };
    iproute2 = made "iproute2" { };
    openssh = made "openssh" { };
    util-linux = made "util-linux" { };
    writeText = name: text: made name { inherit text; };
    writeTextDir = name: text: made name { inherit text; };
    runCommand = name: environment: script: made name { inherit environment script; };
  };
in
pkgs
