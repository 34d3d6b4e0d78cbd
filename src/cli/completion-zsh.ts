/**
 * What makes zsh complete commands, options and the values that are listed; else files. Read by it at once, or
 * as `_sealaunch` in a folder of its `fpath`.
 */
export const zshCompletion = `#compdef sealaunch
# zsh completion for sealaunch
_sealaunch() {
    local line
    local -a found
    # Quotes are taken off, and nothing is evaluated.
    for line in "\${(@f)$(sealaunch complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        # A ':' ends the word; the last line is for other shells.
        [[ $line == :* || -z $line ]] || found+=("\${\${line//:/\\\\:}/$'\\t'/:}")
    done
    compset -P '--*='
    if (( $#found )); then
        _describe sealaunch found
    else
        # Nothing that the program knows.
        _files
    fi
}
if [[ $funcstack[1] == _sealaunch ]]; then
    _sealaunch "$@"
else
    compdef _sealaunch sealaunch
fi
`;
