/**
 * What can go wrong, in one closed table: code, exit status, meaning, remedy.
 *
 * Everything Sealaunch refuses is a {@link Failure} with one of these codes. The command line
 * prints it as one `error:` line and one `hint:` line; `docs/errors.md` is this table as prose.
 * Exit statuses are those of sysexits.h and stay below 200, where systemd's own begin
 * (systemd.exec(5), "Process Exit Codes").
 */

/** Exit statuses by the kind of failure, after sysexits(3). */
export const exitStatus = {
  usage: 64,
  data: 65,
  absent: 66,
  unavailable: 69,
  bug: 70,
  host: 71,
  again: 75,
  refused: 77,
  configuration: 78,
} as const;

type Kind = keyof typeof exitStatus;
type Row = readonly [kind: Kind, meaning: string, remedy: string];

/**
 * Every failure there is. The remedy is the `hint:` line where the place that fails knows no
 * better one; it names a command where one helps.
 */
export const failures = {
  // The command line and the configuration.
  "usage/invalid": ["usage", "the command line is wrong", "see the command's --help"],
  "usage/value-in-argument": [
    "usage",
    "a secret stands in an argument, where every process can read it",
    "give the value by file (NAME=FILE), on standard input (NAME=-) or at the prompt (NAME)",
  ],
  "usage/declined": ["refused", "the answer at the prompt was no", "say --yes to do it unasked"],
  "usage/bad-name": [
    "usage",
    "a name is outside the grammar of names",
    "use segments of a-z 0-9 . _ - joined by '/', each beginning with a letter or digit, at most 128 bytes",
  ],
  "usage/exists": [
    "usage",
    "what is to be made is already there",
    "choose another name, or remove what is there first",
  ],
  "configuration/missing": [
    "configuration",
    "no sealaunch.json or node.json was found",
    "run 'sealaunch init' in a repository, or give --config FILE",
  ],
  "configuration/invalid": [
    "configuration",
    "a configuration file is malformed",
    "mend the field that the error names",
  ],
  // Secrets on their way in.
  "credential/empty": [
    "usage",
    "a value has no byte, as a command that failed leaves it",
    "give the value; where it is to be empty: --allow-empty",
  ],
  "credential/too-large": ["usage", "a credential is over 1 MiB", "seal a smaller file"],
  "credential/not-for-environment": [
    "data",
    "a credential can't be an environment variable: it has a NUL byte or over 128 KiB",
    "let the service read the file $CREDENTIALS_DIRECTORY/NAME instead of --env",
  ],
  "credential/missing": [
    "absent",
    "the bundle has no such credential",
    "see 'sealaunch inspect NAME' for what the bundle has",
  ],
  "credential/unreadable": [
    "absent",
    "the file that holds a credential can't be read",
    "check the path and its mode",
  ],
  "credential/undecryptable": [
    "host",
    "the tool that has a secret doesn't decrypt it",
    "run the command that the hint names, to see why",
  ],
  // The agent: who asks, and for which unit.
  "agent/unknown-asker": [
    "refused",
    "somebody who isn't systemd starting a unit asks the agent for a credential",
    "look at what runs as root on this machine; systemd itself is never refused so",
  ],
  "unit/not-guarded": [
    "configuration",
    "a unit asks the agent for credentials, and nothing in it checks that they arrived",
    "write the unit with 'sealaunch unit', or wrap it with 'sealaunch unit --wrap'",
  ],
  "unit/absent": [
    "absent",
    "there is no such unit, or systemd can't read it",
    "see 'systemctl status UNIT'",
  ],
  "unit/credentials": [
    "configuration",
    "the credentials that a unit loads are not those that its commands want",
    "write the unit with 'sealaunch unit', or wrap it with 'sealaunch unit --wrap'",
  ],
  "unit/setting": [
    "configuration",
    "a setting of a unit keeps what it runs from running, or from its credentials",
    "change the setting that the error names",
  ],
  "unit/unresolved": [
    "configuration",
    "what a unit asks for is known only where it runs",
    "see it there: sealaunch doctor UNIT",
  ],
  "unit/behind": [
    "again",
    "a running service has an older generation of a bundle than the newest",
    "sealaunch status --restart-stale",
  ],
  "unit/busy": [
    "again",
    "another is putting that unit in place",
    "run it again when the other 'unit --install' has ended",
  ],
  "unit/not-started": [
    "unavailable",
    "a unit didn't start",
    "see 'sealaunch doctor UNIT' and 'systemctl status UNIT'",
  ],
  "unit/not-reloaded": [
    "unavailable",
    "a unit was reloaded for newer values, and that failed: it runs on",
    "see 'journalctl -u UNIT' for which command of it failed",
  ],
  "agent/unavailable": [
    "unavailable",
    "the agent can't be asked for credentials",
    "systemctl enable --now sealaunch-agent.socket",
  ],
  "systemd/too-old": [
    "host",
    "this systemd can't ask the agent for credentials",
    "update systemd to 252.4 or later, or launch in place",
  ],
  "clock/behind": [
    "host",
    "this machine's clock is before the time at which something was signed",
    "set the clock: timedatectl set-ntp true; if it is right, whoever signed had a wrong one: sign anew",
  ],
  "plaintext/found": [
    "refused",
    "a credential's value stands where others may read it",
    "remove it there, then replace the value: sealaunch seal NAME CREDENTIAL",
  ],
  "unit/malformed": [
    "data",
    "a unit file has a line that systemd wouldn't understand",
    "see what 'systemd-analyze verify' says of it",
  ],
  "service/malformed": [
    "data",
    "a service file is malformed",
    "mend the field that the error names; docs/units.md has them all",
  ],
  "service/unsupported": [
    "data",
    "a service file asks for what a scheduler can't do",
    "change the field that the error names; docs/schedulers.md has what each can",
  ],
  "scheduler/unavailable": [
    "unavailable",
    "a scheduler's API doesn't answer, or has a fault of its own",
    "check the address, and that the scheduler runs",
  ],
  "scheduler/malformed": [
    "data",
    "an answer isn't one of the scheduler's API",
    "check that the address is that of the scheduler's API",
  ],
  "scheduler/refused": [
    "refused",
    "a scheduler doesn't take what it is given",
    "change what the error names in the service file, or what your account may do there",
  ],
  "scheduler/conflict": [
    "again",
    "somebody else changes the same service in the scheduler",
    "look at theirs, then run the command again",
  ],
  "scheduler/not-running": [
    "unavailable",
    "a scheduler has taken a service, and it doesn't run in time",
    "mend what the error names, or look at the node's journal",
  ],
  "file/absent": ["absent", "a file that the command line names isn't there", "check the path"],
  "systemd/unavailable": [
    "unavailable",
    "systemd doesn't answer",
    "see 'systemctl is-system-running'",
  ],
  "host/sockets": [
    "host",
    "the kernel doesn't tell who is at the other end of a connection",
    "install iproute2, whose ss(8) asks it",
  ],
  // Formats: bytes that are not what they should be.
  "identity/malformed": [
    "data",
    "an identity is not one line AGE-SECRET-KEY-PQ-1…",
    "make one with 'sealaunch identity create FILE' or 'age-keygen -pq'",
  ],
  "recipient/malformed": [
    "data",
    "a recipient is not age1pq1…, or its key is not a valid one",
    "print it anew with 'sealaunch identity show'",
  ],
  "ssh-key/malformed": [
    "data",
    "an SSH public key can't be read",
    "give the one line of an OpenSSH .pub file",
  ],
  "ssh-key/unsupported": [
    "data",
    "an SSH key has a type that Sealaunch doesn't accept",
    "make one with 'ssh-keygen -t ed25519' or 'ssh-keygen -t ed25519-sk'",
  ],
  "header/malformed": [
    "data",
    "an age header is outside the profile of docs/bundle-format.md",
    "take it back from where it was whole, or write it anew with 'sealaunch rewrap'",
  ],
  "header/no-match": [
    "data",
    "an identity doesn't open a header: another identity's, or altered",
    "write it anew with 'sealaunch rewrap'",
  ],
  "header/altered": [
    "data",
    "an age header's MAC doesn't match: it was altered",
    "write it anew with 'sealaunch rewrap'",
  ],
  "payload/altered": [
    "data",
    "a payload doesn't decrypt: it was altered, cut short or extended",
    "seal the credential anew",
  ],
  "payload/malformed": [
    "data",
    "a payload decrypts to something that is no credential",
    "seal the credential anew",
  ],
  "payload/hash": [
    "data",
    "a payload's bytes are not those that the statement names",
    "copy it from a good source, or seal the credential anew",
  ],
  "payload/commitment": [
    "data",
    "a header gives another file key than the one that the statement commits to",
    "write the header anew with 'sealaunch rewrap'",
  ],
  "payload/mismatch": [
    "data",
    "a payload says that it is for another cluster, bundle, credential or audience",
    "seal the credential anew under this name",
  ],
  "entry/mismatch": [
    "data",
    "an entry opens to another identity than the one that the signed pool file names",
    "write it anew with 'sealaunch rewrap'",
  ],
  "signature/malformed": [
    "data",
    "a signature is not an armoured SSHSIG exactly as ssh-keygen writes it",
    "sign anew",
  ],
  "card/absent": [
    "absent",
    "no card says which recipient a node has",
    "copy card.json and card.json.sig to where node.json is: 'sealaunch identity create --into' made them",
  ],
  "card/malformed": [
    "data",
    "a node card is malformed",
    "make it anew with 'sealaunch identity create'",
  ],
  "roster/malformed": ["data", "a roster is malformed", "copy it from a good source"],
  "pool/malformed": ["data", "a pool file is malformed", "copy it from a good source"],
  "members/malformed": ["data", "a member list is malformed", "copy it from a good source"],
  "members/hash": [
    "data",
    "a member list is not the one that the signed pool file names",
    "copy it from a good source",
  ],
  "statement/malformed": ["data", "a statement is malformed", "copy it from a good source"],
  // Trust: well-formed, and refused.
  "signature/invalid": [
    "refused",
    "a signature doesn't verify",
    "sign anew, or copy the object from a good source",
  ],
  "signature/unknown-signer": [
    "refused",
    "nobody who may sign this has signed it",
    "have somebody whom the roster names sign it",
  ],
  "signature/threshold": [
    "refused",
    "too few root keys have signed a roster",
    "add a signature with 'sealaunch roster sign'",
  ],
  "signer/not-allowed": [
    "refused",
    "a signer signed a name that is outside his",
    "have somebody sign whom the roster allows the name, or widen it with 'sealaunch roster add-signer'",
  ],
  "signer/expired": [
    "refused",
    "a signer's time in the roster is over",
    "renew it with 'sealaunch roster add-signer', or let somebody else sign",
  ],
  "signer/none": [
    "refused",
    "you hold no key that may sign this, or several",
    "load the key into ssh-agent, or name it with --signer KEY.pub",
  ],
  "signer/needed": [
    "refused",
    "what is in use would be without a signature that counts",
    "have it signed by somebody else first",
  ],
  "signer/unknown": [
    "absent",
    "the roster has no such signer, manager or root key",
    "see 'sealaunch roster show'",
  ],
  "signer/failed": [
    "host",
    "ssh-keygen didn't sign",
    "check that the agent or the private key can be used: ssh-keygen -Y sign -n test -f KEY.pub",
  ],
  "cluster/mismatch": [
    "refused",
    "an object belongs to another cluster",
    "use the source of this cluster, or the configuration of that one",
  ],
  "roster/absent": [
    "absent",
    "the source has no roster",
    "run 'sealaunch init', or check the source",
  ],
  "roster/stale": [
    "refused",
    "a roster or pool file is older than its stale-after date",
    "renew it with 'sealaunch roster sign'",
  ],
  "roster/pending": [
    "refused",
    "a roster waits for more signatures, so that nothing can be changed yet",
    "sign it with 'sealaunch roster sign', or remove the folder that the error names",
  ],
  "editor/failed": [
    "refused",
    "the editor failed, or left nothing that could be sealed",
    "run it again; EDITOR names another editor",
  ],
  "generation/conflict": [
    "again",
    "somebody else wrote the same generation first",
    "look at theirs, then run the command again",
  ],
  "mark/rolled-back": [
    "refused",
    "a roster, pool file or bundle is older than one seen before",
    "bring the source up to date; going back is sealing the old values anew",
  ],
  "mark/equivocation": [
    "refused",
    "the same generation was seen with other bytes",
    "find out who signed which; then sign the next generation, which is above both",
  ],
  "generation/leap": [
    "refused",
    "a generation is so far above the one before it that the numbers might be used up",
    "find out who signed it, and take it away; or, for a bundle: sealaunch roster set-series NAME N",
  ],
  "mark/corrupt": [
    "configuration",
    "a mark can't be read",
    "look at the file that the error names",
  ],
  "pool/unknown": [
    "refused",
    "the roster has no such pool",
    "add it with 'sealaunch roster add-pool', or see 'sealaunch roster show'",
  ],
  "pool/absent": [
    "absent",
    "a pool has no members yet, so no pool file",
    "add the first with 'sealaunch roster add-node'",
  ],
  "pool/leaving": [
    "again",
    "a pool still leaves an epoch, so that no other can begin",
    "write what is owed with 'sealaunch rewrap' as an operator or member, then run the command again",
  ],
  "node/unknown": [
    "absent",
    "no pool has or had a node of that name",
    "see 'sealaunch roster show'",
  ],
  "value/owed": [
    "refused",
    "somebody who was shut out of a pool could read a value that wasn't replaced since",
    "make a new value where it is used, and seal it: sealaunch seal NAME CREDENTIAL",
  ],
  "node/unverified": [
    "refused",
    "a node's host key is not the one expected",
    "compare fingerprints on the node: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
  ],
  // Bundles and starts.
  "bundle/absent": [
    "absent",
    "the source has no such bundle",
    "seal it with 'sealaunch seal', or check the source",
  ],
  "bundle/expired": [
    "refused",
    "a bundle is past its expiry",
    "seal it anew with a later --expires",
  ],
  "bundle/wrong-name": [
    "refused",
    "a statement is for another bundle",
    "copy it from a good source",
  ],
  "bundle/wrong-path": [
    "refused",
    "a store path hasn't the bundle that it is named for, or an older one",
    "name the path that 'sealaunch copy NAME --from dir:. --to nix:' prints: --bundle NAME=/nix/store/…",
  ],
  "bundle/not-for-node": [
    "refused",
    "a bundle is for pools of which this node is no member",
    "seal it for a pool of this node, or add the node to one of the bundle's pools",
  ],
  "bundle/wrong-unit": [
    "refused",
    "a bundle doesn't name the unit that asks",
    "add it with 'sealaunch seal NAME --unit UNIT'",
  ],
  "bundle/not-in-place": [
    "refused",
    "a bundle may not be opened in place",
    "allow it with 'sealaunch seal NAME --in-place', or start it as a unit",
  ],
  "bundle/below-floor": [
    "refused",
    "a bundle is older than the floor that the command asks for",
    "bring the source up to date, or lower the floor in --bundle NAME@N+",
  ],
  "bundle/below-minimum": [
    "refused",
    "the roster puts this generation of a bundle out of use",
    "seal a newer generation",
  ],
  "bundle/values-needed": [
    "refused",
    "the change needs every value, and not all were given",
    "give all credentials of the bundle in the same command",
  ],
  "bundle/undecided": [
    "refused",
    "two branches have each changed the same credential",
    "decide in the same command: CREDENTIAL=FILE, or --remove CREDENTIAL",
  ],
  "entry/absent": [
    "again",
    "a member or operator has no entry in a pool",
    "write it with 'sealaunch rewrap' as an operator or member",
  ],
  "header/absent": [
    "again",
    "a payload has no header for the pool's epoch",
    "write it with 'sealaunch rewrap' as an operator or member",
  ],
  "payload/absent": [
    "again",
    "a payload isn't in the source",
    "copy the bundle anew, or seal the credential anew",
  ],
  "source/unreadable": [
    "unavailable",
    "a source can't be read",
    "check that it is there and may be read",
  ],
  "source/unknown": ["usage", "a source's scheme is not known", "use dir:PATH or etcd:FILE"],
  "source/unreachable": [
    "unavailable",
    "no member of a source's etcd can be reached, or it has no leader",
    "see 'etcdctl endpoint health --cluster'",
  ],
  "source/timeout": [
    "again",
    "a source doesn't answer within its deadline",
    "see 'etcdctl endpoint status --cluster'; the deadline is a field of the file that etcd: names",
  ],
  "source/certificate": [
    "refused",
    "a certificate of a source, or the one that is shown to it, is expired or not trusted",
    "see both: openssl x509 -noout -dates -issuer -subject -ext subjectAltName -in FILE",
  ],
  "source/too-open": [
    "refused",
    "a source's password or private half lies in a file that others may read or write",
    "chmod o-rwx,g-w FILE; then give etcd's user another, if others are on the machine",
  ],
  "source/authentication": [
    "refused",
    "a source doesn't accept the user, password or certificate",
    "see 'etcdctl user get USER', and the file that etcd: names",
  ],
  "source/forbidden": [
    "refused",
    "a source doesn't let its user read or write something",
    "grant what 'sealaunch etcd-roles' prints",
  ],
  "source/excess": [
    "configuration",
    "a source lets its user write more than it has to",
    "compare 'etcdctl user get USER --detail' with what 'sealaunch etcd-roles' prints",
  ],
  "source/full": [
    "unavailable",
    "a source has no space left",
    "compact it, 'etcdctl defrag --cluster', then 'etcdctl alarm disarm'",
  ],
  "source/too-large": [
    "data",
    "an object is larger than a source takes",
    "start etcd with a higher --max-request-bytes, such as 4194304, or keep the object smaller",
  ],
  "source/failed": [
    "unavailable",
    "a source answers with an error",
    "see the log of the source's server",
  ],
  "source/hostile": [
    "refused",
    "a source holds something that is no plain file of a fitting size",
    "look at the path that the error names",
  ],
  "ssh/failed": [
    "unavailable",
    "a node can't be reached over ssh, or its sync failed",
    "try it by hand: ssh HOST sealaunch sync --help",
  ],
  "mirror/none": [
    "configuration",
    "the node's configuration names no mirror",
    'add "mirror": "/var/lib/sealaunch-mirror" to node.json',
  ],
  "mirror/root": [
    "configuration",
    "sync runs as root, so that nothing is between what it parses and the node's identity",
    "chown -R sealaunch-sync: MIRROR, then systemctl restart sealaunch-sync.service",
  ],
  "mirror/not-fresh": [
    "unavailable",
    "a start insists on a live source, and sync couldn't read it",
    "see 'journalctl -u sealaunch-sync.service', or start it without --fresh",
  ],
  "mirror/old": [
    "again",
    "sync hasn't brought the node's mirror up to date for an hour",
    "journalctl -u sealaunch-sync.service",
  ],
  "git/failed": [
    "unavailable",
    "git doesn't give what a revision had",
    "check that it is there: git rev-parse REV; in CI, fetch the whole history (fetch-depth: 0)",
  ],
  "history/rewritten": [
    "refused",
    "a generation was changed or taken away that was there at an earlier revision",
    "restore the object from the revision, then make the change anew as a higher generation",
  ],
  "history/twins": [
    "refused",
    "two branches have sealed one bundle, and one's change is lost",
    "go back to before the merge, and join them: sealaunch seal NAME --merge REV",
  ],
  "surplus/reader": [
    "refused",
    "an entry or a header would let somebody read whom nobody has signed for",
    "find out who wrote it, replace the values, and remove it",
  ],
  "surplus/unneeded": [
    "refused",
    "something lies in a source that nothing needs",
    "remove what the message names, or end what left it: sealaunch rewrap, roster remove-node",
  ],
  "date/ends-soon": [
    "refused",
    "something ends within the days that --within asks about",
    "renew it: sealaunch roster sign --renew, roster add-signer, or seal --expires",
  ],
  "date/old-value": [
    "refused",
    "a value was sealed longer ago than --older-than allows",
    "make a new value where it comes from, and seal that",
  ],
  // Scanning.
  "advisories/invalid": [
    "data",
    "a file holds no advisories, or not whole",
    "give feeds of NVD's CVE API 2.0 (.json, .json.gz) or records of OSV (.json, .zip); fetch a broken one anew",
  ],
  "advisories/unreachable": [
    "unavailable",
    "a database of advisories can't be fetched, or not all of it",
    "look whether the network is there, and begin again: sealaunch scan --update; what was fetched before stays",
  ],
  "advisories/absent": [
    "absent",
    "no advisories were given, and not all were fetched",
    "sealaunch scan --update, where there is a network; or give files: --advisories FILE",
  ],
  "rules/invalid": [
    "data",
    "a file of rules is malformed",
    'mend the line that the error names; a rule is a table such as ["openssl-3.0.7"], with cve, until, comment',
  ],
  // The node.
  "identity/missing": [
    "configuration",
    "an identity isn't where it should be",
    "make one with 'sealaunch identity create'",
  ],
  "identity/too-open": [
    "refused",
    "others may read an identity",
    "chmod 0400 the file, then rotate the identity",
  ],
  "identity/wrong-owner": [
    "refused",
    "an identity belongs to another user",
    "chown the file, then rotate the identity",
  ],
  "identity/undecryptable": [
    "refused",
    "this machine can't decrypt an identity that is an encrypted credential",
    "use the machine that made it, or enrol a new one: sealaunch roster add-node --replace",
  ],
  "identity/unprotected": [
    "host",
    "systemd-creds didn't encrypt an identity",
    "as root, see why: systemd-creds encrypt /etc/hostname -; or ask for --plain-identity",
  ],
  "identity/other-node": [
    "refused",
    "an identity is not the one that a pool has for this node",
    "use this node's own identity, or enrol the new one with 'sealaunch roster add-node --replace'",
  ],
  "closure/not-in-store": [
    "usage",
    "the program isn't in the Nix store",
    "name the program by its store path: -- /nix/store/…/bin/PROGRAM",
  ],
  "closure/absent": [
    "unavailable",
    "no binary cache has a store path of the closure",
    "publish it: nix copy --to CACHE PATH",
  ],
  "closure/unavailable": [
    "again",
    "a binary cache doesn't answer, or with an error",
    "check the caches in nix.conf ('substituters')",
  ],
  "closure/locked": [
    "again",
    "the Nix store stays locked by something else for longer than a start waits",
    "see what holds the lock: lslocks | grep /nix/var/nix",
  ],
  "closure/untrusted": [
    "refused",
    "a store path isn't signed by a key that this node's Nix trusts",
    "add the cache's key to 'trusted-public-keys' in nix.conf, or publish with a trusted key",
  ],
  "closure/corrupt": [
    "data",
    "a binary cache sent altered or broken bytes",
    "publish the path anew",
  ],
  "closure/not-built": [
    "data",
    "Nix doesn't build what a service file names as its closure",
    "run the command that the error names",
  ],
  "closure/failed": ["host", "nix-store failed", "run the command that the error names"],
  "program/missing": ["host", "a program that Sealaunch needs isn't installed", "install it"],
  "program/not-executable": [
    "configuration",
    "the service's program isn't an executable file",
    "check the path after '--'",
  ],
  // Filling a binary cache.
  "cache-key/invalid": [
    "configuration",
    "a file holds no secret key of a binary cache",
    "make one: nix-store --generate-binary-cache-key NAME cache.secret cache.public",
  ],
  "cache/unknown": [
    "usage",
    "a binary cache's address is not known",
    "use file:///DIR, https://HOST/PATH or s3://BUCKET?region=REGION",
  ],
  "cache/other-store": [
    "refused",
    "a binary cache is for stores in another directory",
    "publish to a cache of its own, whose nix-cache-info says StoreDir: /nix/store",
  ],
  "cache/invalid": [
    "data",
    "a binary cache holds something that can't be read as what it should be",
    "remove from the cache what the error names, and publish again",
  ],
  "cache/incomplete": [
    "data",
    "a binary cache doesn't have afterwards what was published",
    "publish again; if it stays so, somebody else removes or writes what is there",
  ],
  "cache/forbidden": [
    "refused",
    "a binary cache refuses to be read or written with these credentials",
    "check ~/.netrc for https://, the profile or variables of AWS for s3://, the mode of the directory for file://",
  ],
  "cache/unreachable": [
    "again",
    "a binary cache can't be reached, breaks off or falls silent",
    "run the same again: it goes on where it was",
  ],
  "cache/failed": [
    "again",
    "a binary cache answers with an error",
    "see the log of the cache's server, then run the same again: it goes on where it was",
  ],
  "cache/full": [
    "unavailable",
    "a binary cache, or the directory for temporary files, has no space left",
    "make room, then run the same again: it goes on where it was",
  ],
  "store/missing": ["absent", "a store path isn't in this machine's Nix store", "build it first"],
  "store/altered": [
    "data",
    "a store path isn't on the disk as it was when Nix took it into the store",
    "nix-store --repair-path PATH, or build it anew",
  ],
  "store/failed": [
    "host",
    "Nix doesn't tell what its store has",
    "run the command that the error names",
  ],
  "user/unknown": [
    "configuration",
    "no such user or group",
    "create it, or name another with --user",
  ],
  "environment/unsafe": [
    "refused",
    "a variable that steers the dynamic loader is set while root launches",
    "set it in the service itself: let PROGRAM be a script in the Nix store that sets it and execs the service",
  ],
  "mount/refused": [
    "host",
    "the memory file system for credentials can't be mounted",
    "give a directory on tmpfs or ramfs with --credentials-dir DIR",
  ],
  "mount/not-memory": [
    "refused",
    "a directory for credentials isn't on a memory file system",
    "name a directory on tmpfs or ramfs",
  ],
  "privileges/refused": [
    "host",
    "privileges can't be dropped as asked",
    "run as root with CAP_SETUID, CAP_SETGID and CAP_SETPCAP",
  ],
  "privileges/needed": ["refused", "the command must run as root", "run it with sudo"],
  "privileges/unwanted": [
    "refused",
    "the command is for everybody but root",
    "run it as yourself, or launch in place: sealaunch run --in-place …",
  ],
  // What runs of the store, and what of it is vulnerable.
  "scan/report-malformed": [
    "data",
    "a file that a scan is to be compared with is no report of an earlier one",
    "write one: sealaunch scan --json > FILE",
  ],
  "scan/vulnerable": [
    "refused",
    "something vulnerable is at or above the severity of --fail-on",
    "update what the table names, or answer for it with a rule",
  ],
  "scan/unknown": [
    "unavailable",
    "nothing is known of a node, or of a binary cache, that was asked about",
    "on the node, as root: sealaunch inventory --host-key /etc/ssh/ssh_host_ed25519_key",
  ],
  "scan/stale": [
    "again",
    "the advisories are too old to say that anything is in order",
    "sealaunch scan --update, or give newer ones: --advisories FILE",
  ],
  "inventory/malformed": [
    "data",
    "an inventory, or a list of a store's paths, is malformed",
    "take it anew: sealaunch inventory, or nix-store --dump-db > FILE",
  ],
  "inventory/absent": [
    "absent",
    "a node has put no inventory into the source",
    "on the node, as root: sealaunch inventory --host-key /etc/ssh/ssh_host_ed25519_key",
  ],
  "inventory/foreign": [
    "refused",
    "an inventory is another node's, or another cluster's",
    "see who writes below nodes/ in the source; a node may write its own folder alone",
  ],
  "inventory/unavailable": [
    "unavailable",
    "a machine doesn't say what its store has",
    "run 'nix-store --dump-db' there, to see why",
  ],
  "internal/bug": [
    "bug",
    "Sealaunch itself is wrong",
    "this is a bug in Sealaunch: report it, with the line above",
  ],
  "write/refused": [
    "host",
    "a file can't be written",
    "check the path, its mode and the free space",
  ],
} as const satisfies Record<string, Row>;

export type FailureCode = keyof typeof failures;

/** Something Sealaunch refuses or could not do; the only error that users are meant to see. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** The row of {@link failures}. Programs match this, never the text. */
  readonly code: FailureCode;
  /** One line: what mends it, as a command where there is one. */
  readonly hint: string;

  /**
   * @param message - one line, lower case, no full stop: the thing and both sides. Never a
   *   secret's value, its length, or another program's output that could hold one
   * @param hint - where a better one is known than the remedy of the table
   */
  constructor(
    code: FailureCode,
    message: string,
    hint: string = failures[code][2],
    cause?: unknown,
  ) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }

  /** The status that the process ends with, 64 to 78. */
  get exitStatus(): number {
    return exitStatus[failures[this.code][0]];
  }
}

/** What was thrown, as a failure: what isn't one is a bug, of which its kind and its place are told. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const what =
    error instanceof Error ? `${error.name} ${error.stack?.split("\n")[1]?.trim() ?? ""}` : "";
  return new Failure("internal/bug", `internal: ${what}`);
}
