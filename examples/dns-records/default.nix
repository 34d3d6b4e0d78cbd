# The service, with every program that it runs.
{
  # PEM file: who signs the certificates of etcd's members. Public, and fixed by the store path.
  etcdCa ? ./etcd-ca.pem,
  # What has bin/ with sh, node (24 or later), etcdctl, dig, nsupdate and systemd-notify. With nixpkgs:
  # symlinkJoin { name = "tools"; paths = [ bash nodejs_24 etcd dnsutils systemd ]; }
  tools ? import ./debian-tools.nix { },
}:
derivation {
  name = "dns-records-1";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  PATH = "/usr/bin:/bin";
  inherit tools etcdCa;
  service = ./service;
  start = ''
    #!${tools}/bin/sh
    here=''${0%/bin/*}
    PATH=${tools}/bin
    export PATH
    exec node "$here/service/main.ts" --etcd-ca "$here/etcd-ca.pem" "$@"
  '';
  passAsFile = [ "start" ];
  args = [ "-ec" "mkdir -p $out/bin; cp -r $service $out/service; cp $etcdCa $out/etcd-ca.pem; cp $startPath $out/bin/dns-records; chmod +x $out/bin/dns-records" ];
}
