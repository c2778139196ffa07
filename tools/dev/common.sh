# shellcheck shell=bash
# Sourced by ./dev and its parts; the working directory is the top of the tree.

die() {
    echo "dev: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root or sudo for: $*"
    fi
}

# The packages of tools/packages/NAME.txt for each NAME; one a line.
packages_of() {
    local list line
    for list in "$@"; do
        while read -r line; do
            case $line in
            '' | '#'*) ;;
            *']') [ "${line##*\[}" != "$(dpkg --print-architecture)]" ] || echo "${line%% *}" ;;
            *': '*) command -v "${line%%:*}" >/dev/null || echo "${line#*: }" ;;
            *) echo "$line" ;;
            esac
        done <"tools/packages/$list.txt"
    done
}

packages_missing() {
    local wanted
    wanted=$(packages_of "$@")
    # shellcheck disable=SC2086 # one word a package
    dpkg-query -W -f='${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
        awk '$2 == "installed" { print $1 }' | sort -u >"$scratch/installed"
    echo "$wanted" | sort -u | comm -23 - "$scratch/installed"
}

# Installs what the lists name and the machine lacks; without a network when that is nothing.
need() {
    local missing
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    missing=${missing//$'\n'/ }
    echo "dev: installing $missing"
    as_root apt-get update -q
    # shellcheck disable=SC2086 # one word a package
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# Configures a preset once (again when the tree has moved) and builds the targets.
build_preset() {
    local preset=$1 cache=build/$1/CMakeCache.txt arguments=()
    shift
    if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then
        rm -rf "build/$preset"
        ! command -v ccache >/dev/null || arguments=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
        cmake --preset "$preset" "${arguments[@]}" >"$scratch/cmake.log" 2>&1 || {
            cat "$scratch/cmake.log" >&2
            return 1
        }
    fi
    ninja -C "build/$preset" "$@"
}

# npm ci in a folder, when its lock file is not the one that was installed.
npm_install() {
    local folder=$1 stamp=$1/node_modules/.parley-lock
    cmp -s "$folder/package-lock.json" "$stamp" && return 0
    (cd "$folder" && npm ci --no-audit --no-fund) || return 1
    cp "$folder/package-lock.json" "$stamp"
}

# Whether anything the client is built from is younger than the built client.
web_stale() {
    [ -f web/dist/index.html ] || return 0
    [ -n "$(find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/test -prune -o \
        -type f -newer web/dist/index.html -print -quit)" ]
}

build_web() {
    web_stale || return 0
    npm_install web && (cd web && npm run --silent build) && touch web/dist/index.html
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Becomes the program, so that signals reach it.
hand_over() {
    rm -rf "$scratch"
    exec "$@"
}
