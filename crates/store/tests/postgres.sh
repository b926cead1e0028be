#!/bin/sh
# Runs the suite on a PostgreSQL server of its own as well, on a socket in a
# temporary directory. Needs Debian's `postgresql`; as root it becomes the user
# `postgres`, because the server refuses to run as root.
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
dir=$(mktemp -d)
as=
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$dir"
    as='setpriv --reuid=postgres --regid=postgres --init-groups'
fi
stop() {
    (cd "$dir" && $as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null) || true
    rm -rf "$dir"
}
trap stop EXIT

(
    cd "$dir"
    $as "$bin/initdb" -D "$dir/data" -U rollcall -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
    $as "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w \
        -o "-k $dir -c listen_addresses='' -c fsync=off" start >/dev/null
)
socket=$(printf %s "$dir" | sed 's,/,%2F,g')
ROLLCALL_TEST_POSTGRES="postgres://rollcall@$socket/postgres" cargo test -p store --test suite "$@"
