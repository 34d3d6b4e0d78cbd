# Units from Nix: `import ./lib.nix { inherit pkgs sealaunch; }`. Every unit is written and checked by
# Sealaunch itself while it is built, so that what would be refused at the start is refused here.
{
  pkgs,
  sealaunch ? pkgs.callPackage ./package.nix { },
}:
let
  inherit (pkgs) lib;
  program = "${sealaunch}/bin/sealaunch";
  wrapper = import ./wrapper.nix;
in
rec {
  inherit wrapper;

  # The service file of a service written in Nix; docs/units.md has its fields. A program may be
  # "${package}/bin/name": the unit then names exactly that store path.
  serviceFile = service: pkgs.writeTextDir "${service.name}.json" (builtins.toJSON ({ version = 1; } // service) + "\n");

  # A package with the systemd unit of a service, for `systemd.packages`.
  #
  # repository: a checkout with sealaunch.json, keys/ and secrets/. All of it is public.
  unit =
    { service, repository }:
    pkgs.runCommand "sealaunch-unit-${service.name}" { inherit repository wrapper; } ''
      mkdir -p "$out/lib/systemd/system"
      ${program} unit ${serviceFile service}/${service.name}.json --config "$repository/sealaunch.json" \
        --for systemd --output "$out/lib/systemd/system/${service.name}.service"
    '';

  # A package with a drop-in that guards an existing unit, for `systemd.packages`.
  #
  # name: the unit's; unit: its text; options: what `sealaunch unit --wrap` takes beside it.
  wrap =
    { name, unit, options }:
    pkgs.runCommand "sealaunch-wrapped-unit"
      {
        original = pkgs.writeTextDir "unit" unit;
        inherit wrapper;
      }
      ''
        directory="$out/lib/systemd/system/"${lib.escapeShellArg name}.d
        mkdir -p "$directory" original
        cp "$original/unit" original/${lib.escapeShellArg name}
        ${program} unit --wrap original/${lib.escapeShellArg name} ${lib.escapeShellArgs options} \
          --output "$directory/sealaunch.conf"
      '';
}
