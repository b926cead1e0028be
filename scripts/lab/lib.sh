# shellcheck shell=bash
# Sourced by the lab scripts: where state lives, how a server is started and stopped, certificates.
#
# All state of the instance NAME is in $ROLLCALL_LAB/NAME; its file `env` says how to reach it, one NAME=value
# a line, nothing quoted. Nothing outside $ROLLCALL_LAB is written. Every instance has a CA of its own, so that
# instances share nothing and any number of them may start at once.
set -euo pipefail
: "${ROLLCALL_LAB:=${TMPDIR:-/tmp}/rollcall-lab}"
export ROLLCALL_LAB LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$ROLLCALL_LAB"
readonly password=Secret-123

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# need PROGRAM PACKAGE: the program, or the advice to install its package.
need() { command -v "$1" >/dev/null || die "$1 is missing: apt-get install $2"; }

# instance NAME FRESH: sets dir and locks the instance until this script ends. One that runs already is
# described and the script is done, unless FRESH is 1: then it is stopped and starts from nothing.
instance() {
    [[ $1 =~ ^[A-Za-z0-9._-]+$ && $1 != .* ]] || die "'$1' is no name for an instance"
    dir=$ROLLCALL_LAB/$1
    lock "$1"
    if [ "$2" = 1 ]; then
        stop TERM
        rm -rf "$dir"
    elif alive; then
        cat "$dir/env"
        exit 0
    fi
    mkdir -p "$dir"
}

# lock NAME: held by file descriptor 9, which no server inherits; tools of a killed script keep it till they end.
lock() {
    exec 9>"$ROLLCALL_LAB/$1.lock"
    flock -w 300 9 || die "another script has been busy with $1 for 5 minutes"
}

# The file `pid` holds "pid starttime", so that a reused pid is never taken for ours. A dead process that nobody
# reaped, as in a container without an init, has no start time.
start_time() { sed -E 's/.*\) //; /^[ZX]/d' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20 || true; }

alive() {
    local pid start
    [ -s "$dir/pid" ] || return 1
    read -r pid start <"$dir/pid"
    [ -n "$start" ] && [ "$(start_time "$pid")" = "$start" ]
}

# stop SIGNAL: to the server's process group, KILL after 15 s.
stop() {
    local pid
    if alive; then
        read -r pid _ <"$dir/pid"
        signal "$1" "$pid"
        for _ in {1..150}; do
            alive || break
            sleep 0.1
        done
        if alive; then signal KILL "$pid"; fi
    fi
    rm -f "$dir/pid"
}
signal() { kill -"$1" -- "-$2" 2>/dev/null || kill -"$1" "$2" 2>/dev/null || true; }

# start HOST PORT COMMAND...: in a process group of its own; returns when HOST:PORT answers.
start() {
    local host=$1 port=$2 pid
    shift 2
    if answers "$host" "$port"; then die "$host:$port is in use by somebody else"; fi
    setsid "$@" >>"$dir/log" 2>&1 </dev/null 9>&- &
    pid=$!
    echo "$pid $(start_time "$pid")" >"$dir/pid"
    for _ in {1..600}; do
        if answers "$host" "$port"; then return; fi
        alive || break
        sleep 0.05
    done
    stop TERM
    tail -5 "$dir/log" >&2
    die "no server on $host:$port, see $dir/log"
}
answers() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# quietly LOG COMMAND...: the command's output goes to LOG and is shown only when it fails. In the background,
# because set -e does not hold in a function that is called as a condition.
quietly() {
    local log=$dir/$1
    shift
    "$@" >"$log" 2>&1 <&0 &
    wait $! || {
        tail -5 "$log" >&2
        die "$1 failed, see $log"
    }
}

# certificates KIND NAME ADDR: a CA (ca.pem), a server certificate (cert.pem, key.pem) for NAME, ADDR, localhost
# and 127.0.0.1, and a client certificate for pbx-sync (client.pem, client.key) in $dir/tls.
# KIND is good, expired, wrong-name, or self-signed: then the certificate is its own CA, as many labs have it.
certificates() {
    local tls=$dir/tls kind=$1 from=20240101000000Z to=20490101000000Z names
    if [ "$(cat "$tls/made-for" 2>/dev/null)" = "$*" ]; then return; fi
    rm -rf "$tls"
    mkdir -p "$tls"
    : >"$tls/index"
    names=DNS:$2,IP:$3,DNS:localhost,IP:127.0.0.1
    case $kind in
    good | self-signed) ;;
    expired) from=20200101000000Z to=20210101000000Z ;;
    wrong-name) names=DNS:elsewhere.example.test ;;
    *) die "'$kind' is no kind of certificate: good, expired, wrong-name or self-signed" ;;
    esac
    cat >"$tls/conf" <<S
[req]
distinguished_name = nothing
[nothing]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
subjectAltName = $names
extendedKeyUsage = serverAuth
[self-signed]
basicConstraints = CA:TRUE
subjectAltName = $names
[client]
extendedKeyUsage = clientAuth
[ca]
default_ca = lab
[lab]
database = $tls/index
new_certs_dir = $tls
certificate = $tls/ca.pem
private_key = $tls/ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
S
    if [ "$kind" = self-signed ]; then
        quietly tls.log request "$2" "$tls/key.pem" -x509 -days 3650 -extensions self-signed -out "$tls/cert.pem"
        cp "$tls/cert.pem" "$tls/ca.pem"
        cp "$tls/key.pem" "$tls/ca.key"
    else
        quietly tls.log request "Rollcall lab CA" "$tls/ca.key" -x509 -days 3650 -extensions authority -out "$tls/ca.pem"
        quietly tls.log request "$2" "$tls/key.pem" -new -out "$tls/request"
        quietly tls.log sign server "$from" "$to" "$tls/cert.pem"
    fi
    quietly tls.log request pbx-sync "$tls/client.key" -new -out "$tls/request"
    quietly tls.log sign client "$from" "$to" "$tls/client.pem"
    chmod 600 "$tls"/*key*
    echo "$*" >"$tls/made-for"
}
request() {
    openssl req -config "$dir/tls/conf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2" "${@:3}"
}
sign() {
    openssl ca -config "$dir/tls/conf" -batch -notext -extensions "$1" -startdate "$2" -enddate "$3" \
        -in "$dir/tls/request" -out "$4"
}

# describe NAME=value...: writes the instance's env; what all kinds have in common is added here.
describe() {
    local print
    print=$(openssl x509 -in "$dir/tls/cert.pem" -outform DER | sha256sum)
    (umask 077 && printf %s "$password" >"$dir/password")      # as ldap-utils want it: no newline
    printf '%s\n' "$@" "LDAP_CA=$dir/tls/ca.pem" "LDAP_FINGERPRINT=${print%% *}" "LDAP_PASSWORD=$password" \
        "LDAP_PASSWORD_FILE=$dir/password" >"$dir/env"
}
