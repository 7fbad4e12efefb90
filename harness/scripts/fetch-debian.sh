#!/usr/bin/env bash
# Fetches one server program of Debian's current packages, with all libraries that it needs, the C
# library included, so that it runs on an older system. Nothing is installed on the system.
#
#   fetch-debian.sh SUITE PACKAGE PROGRAM DESTINATION
#   fetch-debian.sh sid mysql-server-core usr/sbin/mysqld .tools/mysql
#
# DESTINATION/bin gets a script that starts the program through its own dynamic loader. The packages are
# named without a version, since a suite holds only its newest; DESTINATION/.debian-version says which one
# came. Does nothing if that file is there: remove DESTINATION to fetch anew.
#
# Needs an x86_64 machine, apt-get, apt-config, dpkg-deb, and Debian's keys (package
# debian-archive-keyring). DEBIAN_MIRROR overrides http://deb.debian.org/debian; what comes from there is
# checked against the keys.
set -euo pipefail

fail() {
    echo "fetch-debian.sh: $*" >&2
    exit 1
}

[ $# -eq 4 ] || fail "usage: fetch-debian.sh SUITE PACKAGE PROGRAM DESTINATION"
suite=$1 package=$2 program=$3 destination=$4
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
name=$(basename "$program")

[ ! -f "$destination/.debian-version" ] || exit 0
[ "$(uname -m)" = x86_64 ] || fail "$package is fetched on x86_64 only, this is $(uname -m)"
for tool in apt-get apt-config dpkg-deb; do
    command -v "$tool" >/dev/null ||
        fail "$tool is needed and not on the PATH: $package can be fetched on Debian and Ubuntu only"
done
[ -r "$keys" ] || fail "$keys is needed: apt-get install debian-archive-keyring"

# Unpacked beside the destination and renamed at the end: a broken download leaves nothing behind
# that looks installed.
mkdir -p "$(dirname "$destination")"
work=$(mktemp -d "$(cd "$(dirname "$destination")" && pwd)/.fetch-debian.XXXXXX")
trap 'rm -rf "$work"' EXIT

# An apt of its own: other sources, and a system on which nothing is installed, so that every library is
# downloaded. How the network is reached is taken from the system's configuration.
apt=$work/apt
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d}
: >"$apt/state/status"
echo "deb [arch=amd64 signed-by=$keys] $mirror $suite main" >"$apt/etc/sources.list"
cat >"$work/apt.conf" <<CONFIGURATION
$(apt-config dump | grep -E '^Acquire::(http|https|Check-|ForceIPv|Retries)' || true)
Dir "$apt";
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Dir::Etc "$apt/etc";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
CONFIGURATION
apt_get() {
    APT_CONFIG=$work/apt.conf apt-get --quiet --quiet "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        fail "apt-get $* failed"
    }
}
apt_get update
apt_get install --yes --no-install-recommends --download-only "$package"

mkdir "$work/root"
for archive in "$apt"/cache/archives/*.deb; do
    dpkg-deb --extract "$archive" "$work/root"
done
version=$(dpkg-deb --field "$apt/cache/archives/${package}"_*.deb Version)
[ -f "$work/root/$program" ] || fail "$package $version holds no $program: its layout has changed"
loader=usr/lib64/ld-linux-x86-64.so.2
[ -f "$work/root/$loader" ] || fail "libc6 of $suite holds no $loader: its layout has changed"
# Not needed by a server, and half of the size: all other programs, documentation, and Perl.
mkdir "$work/programs" "$work/root/bin"
cp -L "$work/root/$program" "$work/programs/"
rm -rf "$work/root"/usr/{bin,sbin} "$work/root"/usr/share/{doc,man,perl,locale,info} \
    "$work/root"/usr/lib/x86_64-linux-gnu/{perl,perl-base,gconv}
mkdir -p "$work/root/$(dirname "$program")"
mv "$work/programs/$name" "$work/root/$program"

# The server looks for its own files relative to the path that it is told it was started by.
cat >"$work/root/bin/$name" <<SCRIPT
#!/bin/sh
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$here/$loader" --library-path "\$here/usr/lib/x86_64-linux-gnu" \\
    --argv0 "\$here/$program" "\$here/$program" "\$@"
SCRIPT
chmod a+x "$work/root/bin/$name"
# The server may have to run as another, unprivileged user.
chmod -R a+rX "$work/root"
"$work/root/bin/$name" --version >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "the fetched $name does not run"
}

echo "$version" >"$work/root/.debian-version"
rm -rf "$destination"
mv "$work/root" "$destination"
echo "installed: $destination ($package $version)"
