{
  description = "Starts services out of the Nix store on any machine of a pool, and hands each one exactly the secrets it needs";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make (import ./. { pkgs = nixpkgs.legacyPackages.${system}; }));
    in
    {
      packages = each (own: { default = own.package; sealaunch = own.package; });
      # `lib.x86_64-linux.unit { … }`: units are built, so it depends on the system that builds them.
      lib = each (own: own.lib);
      nixosModules.default = ./nix/module.nix;
      checks = each (own: { inherit (own) package; });
    };
}
