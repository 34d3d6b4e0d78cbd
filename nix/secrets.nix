# sealaunch.secrets: which service gets which credential, in the words that users of agenix and
# sops-nix know. A service's unit is wrapped when the system is built, by Sealaunch itself
# (`sealaunch unit --wrap`): what can't work is an error then, not at the next start.
{ config, lib, pkgs, ... }:
let
  cfg = config.sealaunch;
  inherit (lib) mkOption types;

  # What the others need an option for, and why there is none here.
  unneeded = {
    file = "sealed values aren't part of the system: seal them with 'sealaunch seal'";
    sopsFile = "sealed values aren't part of the system: seal them with 'sealaunch seal'";
    owner = "a credential is readable by its service's user, and by nobody else";
    group = "a credential is readable by its service's user, and by nobody else";
    mode = "a credential has mode 0400";
    symlink = "a credential is a file in $CREDENTIALS_DIRECTORY";
    restartUnits = "sealaunch.services.‹name›.onChange restarts the service that gets it";
    reloadUnits = "sealaunch.services.‹name›.onChange reloads the service that gets it, from systemd 260 on";
    neededForUsers = "a credential is its service's: keep password hashes with the tool that you have";
  };
  hidden = builtins.mapAttrs (_: why: mkOption {
    type = types.unspecified;
    default = null;
    visible = false;
    description = "Not needed: ${why}.";
  }) unneeded;

  of = {
    service = mkOption {
      type = types.strMatching "[A-Za-z0-9:_.\\@-]+";
      example = "nginx";
      description = "The service that gets it, as in systemd.services.‹name›.";
    };
    path = mkOption {
      type = types.str;
      readOnly = true;
      description = "Where the service, and nobody else, finds it while it runs.";
    };
  };
  pathOf = service: credential: "/run/credentials/${service}.service/${credential}";

  secret = types.submodule ({ name, config, ... }: {
    options = hidden // of // {
      bundle = mkOption {
        type = types.strMatching "[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*";
        description = "The bundle that has it.";
      };
      credential = mkOption {
        type = types.strMatching "[A-Za-z0-9][A-Za-z0-9._-]*";
        default = name;
        description = "Its name in the bundle, which is its file's name too.";
      };
      minimum = mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        description = "The oldest generation of the bundle that is good enough.";
      };
      environment = mkOption {
        type = types.nullOr (types.strMatching "[A-Za-z_][A-Za-z0-9_]*");
        default = null;
        description = "A variable that is set to it besides. A file is safer.";
      };
    };
    config.path = pathOf config.service config.credential;
  });

  template = types.submodule ({ name, config, ... }: {
    options = hidden // of // {
      content = mkOption {
        type = types.lines;
        description = "The file; where config.sealaunch.placeholder.‹secret› stands, the service finds the value.";
      };
    };
    config.path = pathOf config.service name;
  });

  spread = types.submodule {
    options = {
      atOnce = mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        description = "On at most so many nodes of a pool in the same period; a tenth of them if null.";
      };
      seconds = mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        description = "How long a period is; 30 if null.";
      };
    };
  };

  receiver = types.submodule {
    options = {
      onChange = mkOption {
        type = types.strMatching "nothing|restart|reload|signal(=(HUP|USR1|USR2|WINCH))?";
        default = "nothing";
        example = "signal=USR2";
        description = "What becomes of the service while it runs, when one of its secrets has a new value; reload and signal from systemd 260 on.";
      };
      spread = mkOption {
        type = types.nullOr spread;
        default = null;
        example = { atOnce = 3; seconds = 60; };
        description = "How restarts and reloads are spread over the nodes of a pool.";
      };
    };
  };

  # As `--on-change` takes it.
  onChangeOf =
    service:
    let
      own = cfg.services.${service} or { onChange = "nothing"; spread = null; };
      number = name: let set = if own.spread == null then null else own.spread.${name} or null; in if set == null then "" else toString set;
      numbers = number "atOnce" + (if number "seconds" == "" then "" else "/${number "seconds"}");
    in
    lib.optionals (own.onChange != "nothing") [ "--on-change" (own.onChange + (if numbers == "" then "" else ":${numbers}")) ];

  secrets = builtins.attrValues cfg.secrets;
  templates = lib.mapAttrsToList (name: value: value // { inherit name; }) cfg.templates;
  unique = list: builtins.attrNames (builtins.listToAttrs (map (value: { name = value; value = null; }) list));
  services = unique (map (one: one.service) (secrets ++ templates));

  # The highest floor that any secret of a bundle asks for.
  bundlesOf =
    service:
    let
      own = builtins.filter (one: one.service == service) secrets;
      floor = bundle: builtins.foldl' (high: one: if one.bundle == bundle && one.minimum != null && one.minimum > high then one.minimum else high) 0 own;
    in
    map (bundle: if floor bundle == 0 then bundle else "${bundle}@${toString (floor bundle)}+") (unique (map (one: one.bundle) own));

  optionsOf =
    service:
    let
      own = builtins.filter (one: one.service == service) secrets;
      rendered = builtins.filter (one: one.service == service) templates;
    in
    builtins.concatMap (bundle: [ "--bundle" bundle ]) (bundlesOf service)
    ++ builtins.concatMap (credential: [ "--credential" credential ]) (unique (map (one: one.credential) own))
    ++ builtins.concatMap (one: lib.optionals (one.environment != null) [ "--env" "${one.environment}=${one.credential}" ]) own
    ++ builtins.concatMap (one: [ "--render" "${one.name}=${pkgs.writeText one.name one.content}" ]) rendered
    ++ onChangeOf service;

  inherit (import ./lib.nix { inherit pkgs; sealaunch = config.services.sealaunch.package; }) wrap;
in
{
  options.sealaunch = {
    secrets = mkOption {
      type = types.attrsOf secret;
      default = { };
      description = "Credentials that services of this machine get.";
    };
    templates = mkOption {
      type = types.attrsOf template;
      default = { };
      description = "Files with credentials inside.";
    };
    services = mkOption {
      type = types.attrsOf receiver;
      default = { };
      description = "What is so of services that get credentials, by their names.";
    };
    placeholder = mkOption {
      type = types.attrsOf types.str;
      readOnly = true;
      description = "What stands for a secret in a template's content.";
    };
  };

  config = {
    sealaunch.placeholder = builtins.mapAttrs (_: one: "@${one.credential}@") cfg.secrets;

    assertions =
      let
        entries = lib.mapAttrsToList (name: value: { path = "sealaunch.secrets.${name}"; inherit value; }) cfg.secrets
          ++ lib.mapAttrsToList (name: value: { path = "sealaunch.templates.${name}"; inherit value; }) cfg.templates;
        # A bundle's own credentials are one service's; two of one name would be one file.
        clashes = service: builtins.filter (credential:
          builtins.length (unique (map (one: one.bundle) (builtins.filter (one: one.service == service && one.credential == credential) secrets)))
            + builtins.length (builtins.filter (one: one.service == service && one.name == credential) templates) > 1)
          (unique (map (one: one.credential) secrets ++ map (one: one.name) templates));
      in
      builtins.concatMap ({ path, value }: lib.mapAttrsToList (option: why: {
        assertion = value.${option} == null;
        message = "${path}.${option}: ${why}. Take the line out.";
      }) unneeded) entries
      ++ map (service: {
        assertion = clashes service == [ ];
        message = "sealaunch: service ${service} would get two files of the name ${builtins.concatStringsSep ", " (clashes service)}: give one of them another name.";
      }) services
      ++ lib.mapAttrsToList (service: _: {
        assertion = builtins.elem service services;
        message = "sealaunch.services.${service}: no secret or template is for that service.";
      }) cfg.services
      ++ lib.mapAttrsToList (service: own: {
        assertion = own.spread == null || own.onChange != "nothing";
        message = "sealaunch.services.${service}.spread is of nothing: its onChange says \"nothing\".";
      }) cfg.services
      ++ lib.optionals (services != [ ]) [{
        assertion = config.services.sealaunch.enable;
        message = "sealaunch.secrets needs services.sealaunch.enable = true: no agent would answer.";
      }];

    systemd.packages = map (service: wrap {
      name = "${service}.service";
      unit = config.systemd.units."${service}.service".text
        or (throw "sealaunch: something is to be given to service ${service}, and there is no systemd.services.${service}");
      options = optionsOf service;
    }) services;
  };
}
