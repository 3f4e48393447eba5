# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of closewaitd, closewaitctl and closewaitd-rules for bash.

# _closewaitd_words WORD...: those of them that the word under the cursor begins.
_closewaitd_words() {
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current")
}

_closewaitd_files() {
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

# What the shell has split at "=" is of no use here: every option takes its value as a next word too.
_closewaitd_complete() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        status | stats | events | explain | scan | doctor | mode | reload | metrics | ping | up | down | show | check)
            command=$word
            break
            ;;
        esac
    done
    case ${1##*/}:$previous in
    *:-c | *:--config | *:-s | *:--socket)
        compopt -o filenames
        _closewaitd_files
        return
        ;;
    closewaitd:-u | closewaitd:--user)
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
        return
        ;;
    *:--filter) [ "${1##*/}" = closewaitd ] || { _closewaitd_words all socket bpf; return; } ;;
    *:--backend) _closewaitd_words nft iptables; return ;;
    *:--action) _closewaitd_words log destroy drop reject; return ;;
    *:--event)
        _closewaitd_words collision unproven foreign-source accept-queue-full mine lookup-failed
        return
        ;;
    *:--unit)
        _closewaitd_words "$(systemctl list-units --no-legend --plain --type=service 2>/dev/null |
            cut -d ' ' -f 1)"
        return
        ;;
    closewaitctl:mode) _closewaitd_words audit enforce; return ;;
    *:-w | *:--watch | *:-n | *:--number | *:--port | *:--queue | *:--workers)
        [ "${1##*/}" = closewaitd ] || return
        ;;
    esac
    case ${1##*/}:$command in
    closewaitd:*)
        _closewaitd_words --config --check --filter --audit --enforce --user --debug --version --help
        ;;
    closewaitctl:)
        _closewaitd_words status stats events explain scan doctor mode reload metrics ping \
            --socket --config --json --version --help
        ;;
    closewaitctl:events)
        _closewaitd_words --follow --number --port --event --action --unit --socket --config --json
        ;;
    closewaitctl:scan) _closewaitd_words --fds --watch --json ;;
    closewaitctl:doctor) _closewaitd_words --passive --socket --config --json ;;
    closewaitctl:*) _closewaitd_words --socket --config --json ;;
    closewaitd-rules:) _closewaitd_words up down show check --help --version ;;
    closewaitd-rules:*) _closewaitd_words -c --queue --workers --filter --port --backend ;;
    esac
}

complete -F _closewaitd_complete closewaitd closewaitctl closewaitd-rules
