/** What `sealaunch` alone prints: the first five minutes. */
export const firstSteps = `Sealaunch starts services out of the Nix store on any machine of a pool, and hands each
one exactly the secrets it needs.

The first five minutes, in a repository of your own, with the SSH key that you sign commits with:

  sealaunch identity create operator.identity         keep it offline: it opens everything
  sealaunch init --operator operator.identity         a new cluster: sealaunch.json and keys/
  sealaunch roster add-pool web                       the nodes that a service may be placed on
  sealaunch identity create --into /etc/sealaunch     on the node, as root: its identity and card
  sealaunch roster add-node DIR --pool web --known-hosts ~/.ssh/known_hosts
                                                      the node, by its card in DIR
  sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name dns
                                                      who may seal which names
  sealaunch seal dns TOKEN --pool web --in-place      asks for the value, seals and signs it
  sealaunch verify                                    needs no key at all, so CI can run it

Commit what these wrote under keys/ and secrets/, and start the service on the node, as root:

  sealaunch run --in-place --bundle dns --env TOKEN --user nobody -- /nix/store/…/bin/service

More: 'sealaunch --help' lists the commands, 'sealaunch COMMAND --help' shows each with examples.
`;
