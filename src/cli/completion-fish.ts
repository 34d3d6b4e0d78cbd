/** What makes fish complete commands, options and the values that are listed; else files. */
export const fishCompletion = `# fish completion for sealaunch
function __sealaunch_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' $words[-1])
    set -l found (sealaunch complete -- $words[2..] 2>/dev/null | string match -v -r -- '^:')
    # Nothing that the program knows: a file.
    set -q found[1]; or set found (__fish_complete_path (string replace -- "$option" '' $words[-1]))
    for one in $found
        printf '%s%s\\n' "$option" $one
    end
end
complete -c sealaunch -f -a '(__sealaunch_complete)'
`;
