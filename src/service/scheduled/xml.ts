const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** An element as text, its children indented; attributes without a value are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  children: readonly string[] = [],
): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [` ${key}="${value.replace(/[&<>"]/gu, (letter) => entities[letter] ?? "")}"`],
  );
  const open = `<${name}${written.join("")}`;
  if (children.length === 0) return `${open}/>\n`;
  const inner = children.join("").replace(/^(?=.)/gmu, "  ");
  return `${open}>\n${inner}</${name}>\n`;
}
