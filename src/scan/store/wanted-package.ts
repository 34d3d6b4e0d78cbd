import { Failure } from "../../failure.ts";
import { upstreamVersion } from "../advisories/applies.ts";
import type { Component } from "../component.ts";
import type { Judgement } from "../judgement.ts";
import { compareVersions } from "../version.ts";

/** A package that is asked about, before or without an advisory. */
export interface WantedPackage {
  /** As it was given: `openssl@>=3.0.0,<3.0.8`. */
  readonly text: string;
  readonly name: string;
  /** Whether a version is meant. */
  readonly holds: (version: string) => boolean;
  readonly isAnyVersion: boolean;
}

const bound = /^(<=|>=|<|>|=|)([0-9A-Za-z][0-9A-Za-z.+_~-]{0,100})$/u;

const operators: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "=": (order) => order === 0,
  "": (order) => order === 0,
};

/**
 * What `NAME`, `NAME@VERSION` or `NAME@<BOUND,…>` asks for; all bounds have to hold.
 *
 * @throws Failure `usage/invalid`
 */
export function parseWantedPackage(text: string): WantedPackage {
  const at = text.indexOf("@", 1);
  const name = at === -1 ? text : text.slice(0, at);
  const bounds = at === -1 ? [] : text.slice(at + 1).split(",");
  const tests = bounds.map((one) => {
    const [, operator, version] = bound.exec(one.trim()) ?? [];
    const holds = operators[operator ?? "none"];
    if (holds === undefined || version === undefined) throw refuse(text);
    return (found: string): boolean => holds(compareVersions(found, version));
  });
  if (!/^[0-9A-Za-z+._?=-]{1,211}$/u.test(name)) throw refuse(text);
  return {
    text,
    name,
    isAnyVersion: tests.length === 0,
    holds: (version) => tests.every((holds) => holds(version)),
  };
}

function refuse(text: string): Failure {
  return new Failure(
    "usage/invalid",
    `${JSON.stringify(text.slice(0, 100))} is no package`,
    "give NAME, NAME@VERSION or NAME@RANGE, such as --package 'openssl@>=3.0.0,<3.0.8'",
  );
}

/**
 * What is said of a component that is asked about: that it is meant, or, where a range is given and its
 * version isn't known, that nobody can tell.
 */
export function judgeWanted(component: Component, wanted: readonly WantedPackage[]): Judgement[] {
  return wanted.flatMap(({ text, name, isAnyVersion, holds }): Judgement[] => {
    if (!isNamed(component, name)) return [];
    const { version } = component;
    const upstream = upstreamVersion(component);
    const isMeant = isAnyVersion || (upstream !== undefined && holds(upstream));
    if (!isMeant && version !== undefined) return [];
    return [
      {
        component,
        advisory: text,
        aliases: [],
        summary: `asked for by --package ${text}`,
        severity: { score: undefined, rating: "unknown" },
        verdict: isMeant ? "vulnerable" : "unknown",
        reason: isMeant ? "it was asked for" : "its version isn't known",
        fixedIn: undefined,
        disputed: false,
      },
    ];
  });
}

/** Whether a component has the name of something that is asked about, in whichever version. */
export function isWanted(component: Component, wanted: readonly WantedPackage[]): boolean {
  return wanted.some(({ name }) => isNamed(component, name));
}

function isNamed(component: Component, name: string): boolean {
  return component.name.toLowerCase() === name.toLowerCase();
}
