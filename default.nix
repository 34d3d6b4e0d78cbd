# Without flakes: `(import ./. { }).package`, `.lib`, `.nixosModules.default`.
{ pkgs ? import <nixpkgs> { } }:
let
  package = pkgs.callPackage ./nix/package.nix { };
in
{
  inherit package;
  lib = import ./nix/lib.nix { inherit pkgs; sealaunch = package; };
  nixosModules.default = ./nix/module.nix;
}
