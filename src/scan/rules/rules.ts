import { Failure } from "../../failure.ts";
import { readCycloneDxVex } from "./cyclonedx-vex.ts";
import { fields, text as textIn } from "../advisories/json.ts";
import { readOpenVex } from "./openvex.ts";
import { readVulnixRules, type RuleFile } from "./vulnix-rules.ts";

/**
 * The rules in a file: TOML as vulnix reads it, an OpenVEX document, or a CycloneDX document with
 * analyses. Which it is, it says itself.
 *
 * @param file - what rules and failures call it
 * @throws Failure `rules/invalid`
 */
export function readRules(file: string, text: string): RuleFile {
  if (!/^\s*\{/.test(text)) return readVulnixRules(file, text);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Failure(
      "rules/invalid",
      `rules ${JSON.stringify(file)}: it begins as JSON and is none`,
    );
  }
  const { "@context": context, bomFormat } = fields(document);
  if (bomFormat === "CycloneDX") return readCycloneDxVex(file, document);
  if (textIn(context)?.includes("openvex.dev") === true) return readOpenVex(file, document);
  throw new Failure(
    "rules/invalid",
    `rules ${JSON.stringify(file)}: it is neither OpenVEX nor CycloneDX`,
  );
}
