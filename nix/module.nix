# The NixOS module: a node (services.sealaunch) and what its services get (sealaunch.secrets).
{ imports = [ ./agent.nix ./secrets.nix ]; }
