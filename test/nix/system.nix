# Evaluates NixOS modules far enough to see what they set. `facts` names a folder with declarations
# of NixOS' own systemd options; without it everything of NixOS is taken as it comes.
{
  lib ? import ./stub-lib.nix,
  facts ? null,
  module,
}:
let
  pkgs = import ./packages.nix { inherit lib; };
  sealaunch = (import ../../flake.nix).outputs {
    nixpkgs = { inherit lib; legacyPackages = { x86_64-linux = pkgs; aarch64-linux = pkgs; }; };
  };
  open = lib.mkOption { default = { }; type = lib.types.open or (lib.types.attrsOf lib.types.anything); };
  list = lib.mkOption { default = [ ]; type = lib.types.listOf lib.types.unspecified; };
  # NixOS has it from systemd.services; here it is as much of the text as a test can tell apart.
  textOf = service: "[Service]\nExecStart=${toString (service.serviceConfig.ExecStart or "")}\n";
  host = { config, ... }: {
    options = {
      networking.hostName = lib.mkOption { type = lib.types.str; default = "host"; };
      services.nginx = open;
      services.openssh = open;
      systemd.packages = list;
      systemd.units = open;
    };
    config.systemd.units = builtins.listToAttrs (map (name: {
      name = "${name}.service";
      value.text = textOf config.systemd.services.${name};
    }) (builtins.attrNames config.systemd.services));
  };
  nixos = {
    options = {
      assertions = list;
      warnings = list;
      environment.etc = open;
      environment.systemPackages = list;
      users = { users = open; groups = open; };
      systemd = { services = open; sockets = open; timers = open; tmpfiles.rules = list; };
    };
  };
  own = { lib, config, ... }: import ../../nix/agent.nix { inherit lib config pkgs; };
  secrets = { lib, config, ... }: import ../../nix/secrets.nix { inherit lib config pkgs; };
  stub = if facts == null then nixos else facts + "/systemd-stub.nix";
  inherit (lib.evalModules { modules = [ stub host own secrets module ]; specialArgs = { inherit pkgs sealaunch; }; }) config;
  bare = value: if builtins.isAttrs value && value ? drvName then value.drvName else value;
  unit = name: builtins.intersectAttrs { description = 1; wantedBy = 1; before = 1; after = 1; unitConfig = 1; serviceConfig = 1; stopIfChanged = 1; } (config.systemd.services.${name} or { });
in
{
  failed = map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
  node = if config.environment.etc ? "sealaunch/node.json" then config.environment.etc."sealaunch/node.json" else null;
  identity = unit "sealaunch-identity";
  agent = unit "sealaunch-agent";
  sync = {
    service = (config.systemd.services.sealaunch-sync or { }).wantedBy or [ ];
    socket = (config.systemd.sockets.sealaunch-sync or { }).wantedBy or [ ];
    users = builtins.attrNames config.users.users;
  };
  socket = (config.systemd.sockets.sealaunch-agent or { wantedBy = [ ]; }).wantedBy;
  tmpfiles = config.systemd.tmpfiles.rules;
  packages = map bare config.systemd.packages;
  scripts = map (one: one.script or "") config.systemd.packages;
  originals = map (one: one.text) (builtins.concatMap (one: if one ? environment.original then [ one.environment.original ] else [ ]) config.systemd.packages);
  placeholders = config.sealaunch.placeholder;
  paths = builtins.mapAttrs (_: one: one.path) (config.sealaunch.secrets // config.sealaunch.templates);
}
