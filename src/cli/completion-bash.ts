/**
 * What makes bash complete commands, options and the values that are listed; else files. Needs bash 3.2 and
 * nothing besides. The package's own script needs the functions of bash-completion, can't be sourced twice,
 * completes no files, and evaluates what is typed: `sealaunch seal dns $(command)` and a tab ran it.
 */
export const bashCompletion = `# bash completion for sealaunch
_sealaunch() {
    local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} current prefix= word
    local -a words
    # Split at blanks and never evaluated.
    read -ra words <<<"$line"
    [[ $line == *[[:blank:]] ]] && words+=("")
    current=\${words[\${#words[@]}-1]}
    if [[ $current == --*=* ]]; then
        [[ $COMP_WORDBREAKS == *=* ]] || prefix=\${current%%=*}=
        current=\${current#*=}
    fi
    COMPREPLY=()
    while IFS=$'\\t' read -r word _; do
        # The last line is for other shells.
        if [[ $word != :* && $word == "$current"* ]]; then COMPREPLY+=("$prefix$word"); fi
    done < <(sealaunch complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _sealaunch sealaunch
`;
