/** Blocks of the page, run one after the other in one shell. */
export interface Runbook {
  readonly title: string;
  /** How each block begins. */
  readonly blocks: readonly string[];
  /** What has happened before. */
  readonly before?: readonly string[];
  /** What the page says, and what is typed here instead. */
  readonly instead?: Readonly<Record<string, string>>;
  readonly times?: number;
  /** What is so afterwards: commands that end well, and what they print. */
  readonly after: readonly (readonly [command: string, printed: RegExp])[];
}

const own = "--config n1/node.json";
const opens = (identity: string): string => `sealaunch open dns CF_TOKEN --identity ${identity}`;
const opensNothing = (identity: string): string => `! ${opens(identity)} 2>/dev/null`;
const secret = /^correct horse battery staple$/u;
const commit = 'git add . && git commit -q -m "more"';
const backup = { "/srv/backup/cluster.git": "backup.git" };
const allGood: readonly [string, RegExp] = ["sealaunch verify", /good/u];

/** Those of docs/operating.md, in its order. */
export const runbooks: readonly Runbook[] = [
  {
    title: "two branches that sealed one name are joined",
    blocks: ["sealaunch seal dns --merge REV"],
    before: [
      `git checkout -q -b other && printf new >new && sealaunch seal dns CF_TOKEN=new && ${commit}`,
      `git checkout -q main && sealaunch seal dns --generate SESSION_KEY && ${commit}`,
    ],
    instead: {
      "--merge REV": "--merge other",
      "&& git merge REV": "&& { git merge other || true; }",
      "add secrets && git commit\n": "add secrets && git commit --no-edit\n",
    },
    after: [allGood, [opens("operator.identity"), /^new$/u], ["git status --short", /^$/u]],
  },
  {
    title: "a bundle is looked at, wherever it lies",
    blocks: ["sealaunch inspect . "],
    after: [],
  },
  {
    title: "a node's identity is rotated",
    blocks: ["sealaunch identity rotate"],
    instead: {
      "identity rotate ": `identity rotate ${own} --host-key n1_host_key `,
      "sealaunch rewrap ": `sealaunch rewrap ${own} `,
    },
    after: [
      allGood,
      [opens("n1/identity"), secret],
      [`sealaunch rewrap ${own}`, /nothing is owed/u],
    ],
  },
  {
    title: "what the members of a pool run is asked of their reports",
    blocks: ["sealaunch status --bundle dns "],
    // As its agent would; with services it is in test/commands/status-members.test.ts.
    before: [
      ...["n1", "n2"].flatMap((node) => [
        `jq -n --arg cluster "$(jq -r .cluster sealaunch.json)" --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '{type: "report", version: 1, cluster: $cluster, node: "${node}", issued: $now, services: []}' >keys/nodes/${node}/report.json`,
        `ssh-keygen -q -Y sign -f ${node}_host_key -n inventory@sealaunch <keys/nodes/${node}/report.json >keys/nodes/${node}/report.json.sig`,
      ]),
    ],
    after: [["sealaunch status --pool web", /^n2 +- +- +- +- +runs nothing$/mu]],
  },
  {
    title: "nodes reach no source, and what they need is carried to them",
    blocks: ["sealaunch sync --ssh root@n1 root@n2"],
    before: [
      `jq '. + {mirror: "n1/mirror"}' n1/node.json >new.json && cp new.json n1/node.json`,
      "mkdir stick n1/mirror",
    ],
    instead: {
      // There are hosts in test/machines/sync-ssh.test.ts.
      "sealaunch sync --ssh root@n1 root@n2 ": ": ",
      // As root it is tried in test/root/sync.test.ts.
      "runuser -u sealaunch-sync -- sealaunch sync --from /media/stick ": `sealaunch sync --from stick ${own} --mirror n1/mirror `,
      "/media/stick": "stick",
    },
    after: [allGood, ["ls n1/mirror", /^[0-9a-f]{64}$/mu]],
  },
  {
    title: "one source is brought to another",
    blocks: ["sealaunch copy "],
    // There is an etcd in test/root/etcd-roles.test.ts.
    instead: { "etcd:/etc/sealaunch/etcd.json": "dir:there" },
    after: [
      ["jq '.source = \"dir:.\"' sealaunch.json >there/sealaunch.json", /^$/u],
      ["cd there && sealaunch verify", /bundle dns +2 +good/u],
    ],
  },
  {
    title: "a new node announces itself and is let in",
    blocks: ["sealaunch identity create --into /etc/sealaunch"],
    before: [
      'ssh-keygen -q -t ed25519 -N "" -C n3 -f n3_host_key',
      'echo "n3 $(cut -d " " -f 1,2 n3_host_key.pub)" >>known_hosts',
    ],
    instead: {
      "--into /etc/sealaunch": "--into n3 --node n3 --host-key n3_host_key --state n3/state",
      "sealaunch rewrap ": `sealaunch rewrap ${own} `,
    },
    after: [allGood, [opens("n3/identity"), secret]],
  },
  {
    title: "a stolen node is shut out",
    blocks: ["sealaunch roster remove-node n2 --dry-run"],
    // It ends with what is owed.
    instead: { "sealaunch verify ": "sealaunch verify 2>/dev/null || true " },
    after: [
      ["sealaunch verify 2>&1 || true", /credential CF_TOKEN .* was removed/u],
      [opens("n1/identity"), secret],
      [opensNothing("n2/identity"), /^$/u],
    ],
  },
  {
    title: "a signer leaves",
    blocks: ["sealaunch seal dns --resign"],
    after: [allGood, ["sealaunch roster show", /^(?!.*signer +bea)/su]],
  },
  {
    title: "a signer's key was stolen, and what it signed is put out of use",
    blocks: ["sealaunch roster remove-signer bea --revoke"],
    after: [allGood, [opens("operator.identity"), secret]],
  },
  {
    title: "a manager leaves",
    blocks: ["sealaunch roster add-manager web bea.pub"],
    after: [allGood, [opens("n1/identity"), secret]],
  },
  {
    title: "root keys are exchanged",
    blocks: ["sealaunch roster add-root bea.pub"],
    after: [allGood],
  },
  {
    title: "a node is lost with its disk",
    blocks: ["sealaunch roster remove-node n2 --disk-destroyed"],
    after: [
      [opensNothing("n2/identity"), /^$/u],
      [opens("n1/identity"), secret],
    ],
  },
  {
    title: "a signer's laptop is lost",
    blocks: ["sealaunch inspect dns\n"],
    before: ['ssh-keygen -q -t ed25519 -N "" -C bea -f new'],
    after: [
      ["sealaunch inspect dns", /signed by +ann\n/u],
      ["sealaunch seal dns --generate SESSION_KEY --signer new.pub", /sealed dns 3/u],
      ["! sealaunch seal dns --generate SESSION_KEY --signer bea.pub 2>/dev/null", /^$/u],
    ],
  },
  {
    title: "the source is lost, and a clone takes its place",
    blocks: ["git clone /srv/backup/cluster.git cluster"],
    before: ["git clone -q --bare . backup.git"],
    instead: backup,
    after: [["cd cluster && sealaunch verify", /bundle dns +2 +good/u]],
  },
  {
    title: "the source is lost, and what no clone has is made anew, above what nodes have seen",
    blocks: ["sealaunch roster sign --renew "],
    before: [
      "sealaunch roster add-pool db --yes",
      "sealaunch seal dns --generate SESSION_KEY",
      `sealaunch rewrap ${own}`,
      // A laptop that has seen nothing of that.
      'git clean -qfd keys secrets && git checkout -q . && rm -r "$XDG_STATE_HOME"',
      `! sealaunch rewrap ${own} 2>/dev/null`,
    ],
    times: 2,
    after: [[`sealaunch rewrap ${own}`, /nothing is owed/u], allGood],
  },
  {
    title: "people read and change values",
    blocks: ["sealaunch identity create --into carla"],
    before: ['ssh-keygen -q -t ed25519 -N "" -C carla -f carla_ssh', "printf correct >token"],
    instead: {
      "SHA256:…": '"$(ssh-keygen -lf carla_ssh.pub | cut -d " " -f 2)"',
      "sealaunch edit": "EDITOR='sed -i s/correct/changed/' sealaunch edit",
    },
    after: [allGood, [opens("n1/identity"), /^changed$/u], [opens("carla/identity"), /^changed$/u]],
  },
  {
    title: "all is lost but an operator's identity and a copy of the sealed tree",
    blocks: ["git clone /srv/backup/cluster.git lost", "jq -s"],
    before: [`git clone -q --bare . backup.git && rm -r keys secrets sealaunch.json bea*`],
    instead: {
      ...backup,
      "-t ed25519 -f root": '-t ed25519 -f root -q -N ""',
      "/etc/sealaunch/node.json": "../n1/node.json",
    },
    after: [
      ["cd cluster && sealaunch verify", /bundle dns +1 +good/u],
      [`cd cluster && ${opens("../operator.identity")}`, secret],
      [`cd cluster && ${opens("../n1/identity")}`, secret],
      [
        'sed -i "s|dir:[^\\"]*|dir:.|" cluster/node.json && sealaunch rewrap --config cluster/node.json',
        /nothing is owed/u,
      ],
    ],
  },
];
