#!/bin/sh
# Finds a Python that Touchstone runs on and hands over to the set-up program beside this file.
set -eu
cd "$(dirname "$0")/.."
export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1  # the ROS wheels would start the venv's Python twice

fits() {
    "$1" -I -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

for python in .venv/bin/python python3.11 python3.12 python3; do
    if fits "$python"; then exec "$python" -I setup; fi
done

case "$(. /etc/os-release 2>/dev/null && echo "${ID:-}-${VERSION_ID:-}")" in
    debian-12 | ubuntu-22.04) package=python3.11 ;;
    ubuntu-24.04) package=python3.12 ;;
    *) package= ;;
esac
if [ -z "$package" ]; then
    echo "Touchstone needs Python 3.11 or 3.12 and found neither; install one (with uv or pyenv, for instance)" \
        "so that python3.12 is on PATH, then run the same command again." >&2
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Touchstone needs Python 3.11 or 3.12 and found neither; paste this line, then run the same command again:" >&2
    echo "sudo apt-get update && sudo apt-get install -y $package $package-venv" >&2
    exit 2
fi
echo "Python 3.11 or 3.12 is missing: installing $package with apt."
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" "$package-venv"
exec "$package" -I setup
