/**
 * `age -d -i FILE`, from standard input to standard output, over npm's age-encryption: another
 * implementation than ours, for where no age ≥ 1.3 is installed.
 */
import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { Decrypter } from "age-encryption";

const [decrypt, option, file] = process.argv.slice(2);
if (decrypt !== "-d" || option !== "-i" || file === undefined) {
  throw new Error("usage: age -d -i FILE");
}
const decrypter = new Decrypter();
for (const line of readFileSync(file, "utf8").split("\n")) {
  if (line !== "" && !line.startsWith("#")) decrypter.addIdentity(line);
}
process.stdout.write(await decrypter.decrypt(await buffer(process.stdin)));
