// How systemd has to be told text that is to arrive as it is (systemd.service(5), Command lines;
// systemd.exec(5), Environment=).

/** A word of a command line that arrives as `text`: no specifier, no variable, no escape. */
export function quoteWord(text: string): string {
  return quote(text.replaceAll("%", "%%").replaceAll("$", () => "$$"));
}

/** An item of `Environment=` that sets `variable` to `value`. A `$` means nothing there. */
export function quoteVariable(variable: string, value: string): string {
  return quote(`${variable}=${value}`.replaceAll("%", "%%"));
}

/** A path, or another word of a list such as `ReadWritePaths=`, where only `%` means something. */
export function quoteItem(text: string): string {
  return quote(text.replaceAll("%", "%%"));
}

/** `text` so that one word is read of it; specifiers and variables in it stay what they are. */
export function quote(text: string): string {
  // A lone ';' would end the command.
  if (/^[\w./:=@,+%${}~^-]+$/u.test(text)) return text;
  const escaped = text
    .replace(/[\\"]/gu, "\\$&")
    .replace(
      /[\u0001-\u001f\u007f]/gu,
      (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  return `"${escaped}"`;
}
