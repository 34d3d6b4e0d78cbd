# The demo's service: a small web server that proves it has its secret without telling it. Needs no
# nixpkgs: its one dependency is a statically linked busybox, taken from the machine.
{ busybox }:
let
  derivationFor = name: env: derivation ({
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
  } // env);

  tools = derivationFor "demo-busybox" {
    inherit busybox;
    args = [ "-ec" "mkdir -p $out/bin; cp $busybox $out/bin/busybox; for tool in sh httpd cat sha256sum printf id; do ln -s busybox $out/bin/$tool; done" ];
  };
in
derivationFor "demo-service-1" {
  inherit tools;
  # sha256(question, secret): whoever knows the secret can check the answer.
  answer = ''
    #!${tools}/bin/sh
    printf 'Content-Type: text/plain\r\n\r\n'
    { printf %s "$QUERY_STRING"; cat "$CREDENTIALS_DIRECTORY/API_TOKEN"; } | sha256sum
  '';
  server = ''
    #!${tools}/bin/sh
    PATH=${tools}/bin
    export PATH
    exec httpd -f -p "$1" -h "''${0%/bin/*}/www"
  '';
  passAsFile = [ "answer" "server" ];
  args = [ "-ec" "mkdir -p $out/bin $out/www/cgi-bin; cp $serverPath $out/bin/demo-service; cp $answerPath $out/www/cgi-bin/answer; chmod +x $out/bin/* $out/www/cgi-bin/*" ];
}
