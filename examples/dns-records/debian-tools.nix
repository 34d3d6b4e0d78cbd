# Programs of the machine that builds, each with its libraries and the loader that finds them: a closure
# without nixpkgs, and without the network.
{
  node ? "/usr/bin/node",
}:
derivation {
  name = "dns-records-tools";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  PATH = "/usr/bin:/bin";
  # Linked statically.
  busybox = "/bin/busybox";
  programs = [ node "/usr/bin/etcdctl" "/usr/bin/dig" "/usr/bin/nsupdate" "/usr/bin/systemd-notify" ];
  args = [ "-ec" ''
    mkdir -p $out/bin $out/lib $out/programs
    cp -L $busybox $out/bin/busybox
    ln -s busybox $out/bin/sh
    for program in $programs; do
      name=''${program##*/}
      cp -L $program $out/programs/$name
      for library in $(ldd $program | grep -o '/[^ ]*'); do
        [ -e $out/lib/''${library##*/} ] || cp -L $library $out/lib/
      done
      loader=$(ldd $program | grep -o '/[^ ]*/ld-[^ ]*')
      printf '#!%s/bin/sh\nexec %s --library-path %s %s "$@"\n' \
        $out $out/lib/''${loader##*/} $out/lib $out/programs/$name >$out/bin/$name
      chmod +x $out/bin/$name
    done
  '' ];
}
