# services.sealaunch: this machine is a node. Whom it trusts stands here and nowhere else; everything
# that changes later (developers, nodes, pools, secrets) comes through the source.
{ config, lib, pkgs, ... }:
let
  cfg = config.services.sealaunch;
  inherit (lib) mkOption types;

  isEncrypted = builtins.match ".*\\.cred" (toString cfg.identityFile) != null;

  nodeFile = {
    inherit (cfg) cluster source roots threshold node refuseStale;
    identity = cfg.identityFile;
  }
  // lib.optionalAttrs (cfg.keepClosures != null) { inherit (cfg) keepClosures; }
  // lib.optionalAttrs cfg.mirror {
    inherit (cfg) hostKey;
    mirror = "/var/lib/sealaunch-mirror";
  };
in
{
  options.services.sealaunch = {
    enable = lib.mkEnableOption "the Sealaunch agent, which gives this machine's units their secrets";
    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package that has the agent and the command line.";
    };
    cluster = mkOption {
      type = types.strMatching "[0-9a-f]{32}";
      description = "The cluster's id, as in the repository's sealaunch.json.";
    };
    roots = mkOption {
      type = types.listOf (types.strMatching "(ssh-ed25519|sk-ssh-ed25519@openssh\\.com) AAAA[A-Za-z0-9+/=]+");
      example = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…" ];
      description = "The root keys, one line each, without comment: all the trust that there is.";
    };
    threshold = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "How many root keys must have signed a roster.";
    };
    source = mkOption {
      type = types.strMatching "[a-z]+:.+";
      example = "dir:/var/lib/sealaunch-source";
      description = "Where sealed objects come from. Not below /home, which the agent can't see.";
    };
    node = mkOption {
      type = types.strMatching "[a-z0-9][a-z0-9._-]*";
      default = config.networking.hostName;
      defaultText = lib.literalExpression "config.networking.hostName";
      description = "The name by which this node is enrolled.";
    };
    refuseStale = mkOption {
      type = types.bool;
      default = false;
      description = "Whether a stale roster or pool file ends starts, instead of a warning.";
    };
    keepClosures = mkOption {
      type = types.nullOr types.ints.unsigned;
      default = null;
      description = "For how many days the closure of a stopped unit is kept from collection; 7 if null.";
    };
    mirror = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether this node starts its services from a copy of what it needs, which a user without an identity
        keeps up to date (sealaunch-sync.service).
      '';
    };
    createIdentity = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the first boot makes an identity, and the card that enrols this node.";
    };
    identityDirectory = mkOption {
      type = types.path;
      default = "/var/lib/sealaunch/node";
      description = "Where the first boot puts the identity and the card.";
    };
    identityFile = mkOption {
      type = types.path;
      default = "${toString cfg.identityDirectory}/identity.cred";
      defaultText = lib.literalExpression ''"''${identityDirectory}/identity.cred"'';
      description = ''
        Where the identity is. A name that ends in .cred is an encrypted credential of systemd, which
        decrypts it for the agent with this machine's TPM or host key; anything else is a plain file.
      '';
    };
    hostKey = mkOption {
      type = types.path;
      default = "/etc/ssh/ssh_host_ed25519_key";
      description = "The SSH host key that signs the card.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.threshold <= builtins.length cfg.roots;
        message = "services.sealaunch.threshold is ${toString cfg.threshold}, and there are ${toString (builtins.length cfg.roots)} roots: no roster could ever be good.";
      }
      {
        assertion = builtins.match "dir:(/home|/root|/run/user)(/.*)?" cfg.source == null;
        message = "services.sealaunch.source ${cfg.source} is in a home directory, which the agent can't see: put it below /srv or /var/lib.";
      }
    ];

    environment.systemPackages = [ cfg.package pkgs.iproute2 pkgs.util-linux pkgs.openssh ];
    # With a mode it is a file: Sealaunch follows no link to what it trusts.
    environment.etc."sealaunch/node.json" = {
      text = builtins.toJSON nodeFile + "\n";
      mode = "0444";
    };
    systemd.tmpfiles.rules = [
      "d /run/sealaunch 0755 root root -"
      "d /run/sealaunch/decisions 0700 root root -"
      "d /var/lib/sealaunch 0755 root root -"
    ] ++ (if cfg.mirror then [ "d /var/lib/sealaunch-mirror 0755 sealaunch-sync sealaunch-sync -" ] else [ ]);

    systemd.packages = [ cfg.package ];
    systemd.sockets.sealaunch-agent.wantedBy = [ "sockets.target" ];
    # Who asks while it restarts waits in the socket's queue, which a stop would close.
    systemd.services.sealaunch-agent = {
      stopIfChanged = false;
      # In place of the package's own, which looks in /etc/credstore.encrypted.
      serviceConfig = lib.optionalAttrs isEncrypted {
        LoadCredentialEncrypted = "sealaunch-identity:${toString cfg.identityFile}";
      };
    };

    users = lib.mkIf cfg.mirror {
      users.sealaunch-sync = { isSystemUser = true; group = "sealaunch-sync"; };
      groups.sealaunch-sync = { };
    };
    systemd.timers.sealaunch-inventory.wantedBy = [ "timers.target" ];
    systemd.sockets.sealaunch-sync.wantedBy = lib.mkIf cfg.mirror [ "sockets.target" ];
    systemd.services.sealaunch-sync.wantedBy = lib.mkIf cfg.mirror [ "multi-user.target" ];

    systemd.services.sealaunch-identity = lib.mkIf cfg.createIdentity {
      description = "Sealaunch: the identity of this node, made once";
      wantedBy = [ "multi-user.target" ];
      before = [ "sealaunch-agent.service" ];
      # Host keys are made by one of these, whichever this NixOS has.
      after = [ "sshd-keygen.service" "sshd.service" ];
      unitConfig.ConditionPathExists = [
        "!${toString cfg.identityDirectory}/card.json"
        "!${toString cfg.identityFile}"
      ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        StateDirectory = "sealaunch";
        UMask = "0077";
        ExecStart = "${cfg.package}/bin/sealaunch identity create --into ${toString cfg.identityDirectory} --with-key auto --node ${cfg.node} --host-key ${toString cfg.hostKey}";
      };
    };
  };
}
