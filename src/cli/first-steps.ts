/** What `sealaunch` alone prints: the first five minutes. */
export const firstSteps = `Sealaunch starts services out of the Nix store on any machine of a pool, and hands each
one exactly the secrets it needs.

The first five minutes, in a repository of your own:

  sealaunch identity create operator.identity         your identity: keep it offline, it opens everything
  sealaunch init --root ~/.ssh/id_ed25519.pub --operator admin=age1pq1…
                                                      a new cluster: sealaunch.json, keys/, secrets/
  sealaunch identity create --into /etc/sealaunch     on the node, as root: its identity and its card
  sealaunch roster add-pool web                       a pool: the nodes that a service may be placed on
  sealaunch roster add-node n1.json --pool web --fingerprint SHA256:…
                                                      the node's card, checked against its host key
  sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name dns/
                                                      who may seal which names
  sealaunch seal dns/cloudflare TOKEN --pool web --in-place
                                                      asks for the value, seals it, signs it
  sealaunch verify                                    needs no key at all, so CI can run it

Commit what these wrote, bring it to the node, and start the service there, as root:

  sealaunch run --in-place --bundle dns/cloudflare --env TOKEN --user nobody -- /nix/store/…/bin/service

More: 'sealaunch --help' lists the commands, 'sealaunch COMMAND --help' shows each with examples.
`;
