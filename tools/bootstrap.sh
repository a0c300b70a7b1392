#!/bin/sh
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
# Finds (or installs) a Python and hands the command over to tools/oda_tools.
set -eu

tools=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

fits() {
    # Odoo 19 runs on 3.10 to 3.13; what we pin needs 3.11
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        2>/dev/null
}

find_python() {
    for name in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$name" >/dev/null 2>&1 && fits "$name"; then
            command -v "$name"
            return
        fi
    done
}

install_python() {
    command -v apt-get >/dev/null 2>&1 || return 0
    if [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        sudo=sudo
    else
        return 0
    fi
    echo "Installing python3 ..."
    log=$(mktemp)
    # lists first: a bare machine has none
    if ! { $sudo apt-get -q update && $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y install --no-install-recommends python3 python3-venv; } \
        >"$log" 2>&1; then
        tail -n 5 "$log" >&2
    fi
    rm -f "$log"
}

python=$(find_python)
if [ -z "$python" ]; then
    install_python
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo >&2
    echo "Python 3.11, 3.12 or 3.13 is needed and could not be installed here (no" >&2
    echo "network, or neither root nor sudo). Ask an administrator to run" >&2
    echo "    apt-get install python3 python3-venv" >&2
    echo "and run the same command again." >&2
    exit 1
fi

PYTHONPATH=$tools PYTHONDONTWRITEBYTECODE=1 exec "$python" -m oda_tools "$@"
