#!/usr/bin/env bash
# Unpacks a Krita from Debian's archive into a folder of its own and runs it there.  Installs nothing and needs no root.
#
#   krita_rootfs.sh make KRITA                    unpack it, or bring it up to date
#   krita_rootfs.sh run KRITA COMMAND [ARGUMENT]  COMMAND sees the folder as /, with this machine's /tmp, /dev, /proc and /sys
#   krita_rootfs.sh path KRITA                    print the folder
#   krita_rootfs.sh remove KRITA                  remove the folder
#
# KRITA: 5.1 (from bookworm), 5.2 (trixie), 5.3 (sid) or 6.0 (experimental).  sid and experimental move on; what is newest there
# is taken.  With each come its Python and Qt, xdotool and ImageMagick for the tests that drive it.
#
# Every package is checked: apt checks the archive's signature, this script each file's SHA-256 before it is unpacked.  No
# maintainer script runs, and this machine's own packages are not touched.  Each `run` has a mount namespace of its own, so that
# no mount outlives the command.  In there, `on-host COMMAND` runs a command of this machine again.
#
# `make` ends with 75 when the archive cannot be fetched (or does not fit together today) and nothing was unpacked before.  What
# was unpacked before stays in use then, and a line says so.
#
# Needs apt-get, dpkg-deb, flock and unshare, and without root a kernel that lets users make namespaces.
#
# LINEWASH_KRITA_CACHE: where all of it lies (default ~/.cache/linewash/krita-rootfs; about 1.5 GB for each Krita)
# KEEP: folders of this machine that COMMAND needs at their own path, separated by colons
# MIRROR, KEYRING: the archive and its keys (default: those of this machine's Debian)
set -euo pipefail

CACHE=${LINEWASH_KRITA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/linewash/krita-rootfs}
KEYRING=${KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
MARK=.krita-rootfs  # in each folder: the names and sums of the packages that are in it
TRY_LATER=75

die() { echo "$*" >&2; exit 1; }

suite_of() {
    case $1 in
        5.1) echo bookworm ;;
        5.2) echo trixie ;;
        5.3) echo sid ;;
        6.0) echo experimental ;;
        *) die "there is no Krita $1 here, only 5.1, 5.2, 5.3 and 6.0" ;;
    esac
}

packages_of() {
    case $1 in
        # Krita alone from experimental, all else from sid; without qt6-svg-plugins Krita 6 has no icons
        6.0) echo krita/experimental krita-data/experimental python3-pyqt6 qt6-svg-plugins ;;
        *) echo krita python3-pyqt5 ;;
    esac
    echo python3 libgl1-mesa-dri fonts-dejavu-core bash dash coreutils libc-bin base-files xdotool imagemagick
}

mirror() {  # printed; of all that this machine's apt uses, the one that is Debian itself
    if [ -n "${MIRROR:-}" ]; then
        echo "$MIRROR"
    else
        apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/\?$'
    fi
}

apt_in() {  # apt_in STATE ARGUMENT...: an apt-get that knows only STATE, where no package is installed
    APT_CONFIG="$1/apt.conf" apt-get -qq "${@:2}"
}

write_apt_configuration() {  # write_apt_configuration STATE SUITE MIRROR
    local state=$1 suite=$2 mirror=$3 each
    mkdir -p "$state"/{lists/partial,archives/partial,none/partial,etc}
    : >"$state/status"
    {
        apt-config dump --no-empty --format '%F "%v";%n' Acquire  # this machine's proxies and the like
        cat <<CONF
Dir::State "$state"; Dir::State::Lists "$state/lists"; Dir::State::status "$state/status"; Dir::Cache "$state";
Dir::Cache::archives "$state/archives"; Dir::Etc "$state/etc"; Dir::Etc::SourceList "$state/etc/sources.list";
Dir::Etc::SourceParts "/dev/null"; Dir::Etc::Parts "/dev/null"; Dir::Etc::Preferences "/dev/null"; Dir::Etc::PreferencesParts "/dev/null";
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success; #clear DPkg::Post-Invoke; #clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets::deb::DEP-11;
APT::Install-Recommends "false"; APT::Sandbox::User ""; APT::Get::Assume-Yes "true"; APT::Architecture "$(dpkg --print-architecture)";
APT::Update::Error-Mode "any"; Acquire::Languages "none"; Acquire::GzipIndexes "true"; Acquire::Retries "3"; Acquire::ForceHash "SHA256";
CONF
    } >"$state/apt.conf"
    [ "$suite" != experimental ] || echo "deb [signed-by=$KEYRING] $mirror sid main" >"$state/etc/sources.list.new"
    echo "deb [signed-by=$KEYRING] $mirror $suite main" >>"$state/etc/sources.list.new"
    mv "$state/etc/sources.list.new" "$state/etc/sources.list"
}

fetch() {  # fetch STATE NAME...: all packages into STATE/archives, their names and sums into STATE/wanted
    local state=$1 sum name
    shift
    apt_in "$state" update || return
    # --print-uris leaves out what lies in the archives already, so it is shown a folder with nothing in it
    apt_in "$state" -o Dir::Cache::archives="$state/none" --print-uris install "$@" >"$state/uris" || return
    sed -n "s/^'[^']*' \([^ ]*\) [0-9]* SHA256:\([0-9a-f]*\).*/\2  \1/p" "$state/uris" | sort -k 2 >"$state/wanted"
    [ -s "$state/wanted" ] || { echo "apt named no package with a SHA-256 sum" >&2; return 1; }
    while read -r sum name; do  # what an interrupted or damaged download left
        if [ -f "$state/archives/$name" ] && ! echo "$sum  $state/archives/$name" | sha256sum --check --status; then
            rm "$state/archives/$name"
        fi
    done <"$state/wanted"
    apt_in "$state" --download-only install "$@" || return
    (cd "$state/archives" && sha256sum --check --quiet --strict ../wanted)
}

make() {
    local krita=$1 suite
    suite=$(suite_of "$krita")
    local state="$CACHE/$krita/apt" root="$CACHE/$krita/root" mirror names
    mkdir -p "$CACHE/$krita"
    exec 8>"$CACHE/$krita/make.lock"
    flock 8
    mirror=$(mirror) || die "this machine's apt knows no archive of Debian; name one with MIRROR"
    [ -f "$KEYRING" ] || die "Debian's keys are not here; install debian-archive-keyring"
    read -r -d '' -a names < <(packages_of "$krita") || true
    write_apt_configuration "$state" "$suite" "$mirror"
    if ! fetch "$state" "${names[@]}"; then
        if [ -f "$root/$MARK" ]; then
            echo "Krita $krita: $suite could not be fetched; the one unpacked on $(date -r "$root/$MARK" +%F) is used"
            return
        fi
        echo "Krita $krita: $suite could not be fetched, and none was unpacked before"
        exit $TRY_LATER
    fi
    if cmp -s "$state/wanted" "$root/$MARK"; then
        echo "Krita $krita: up to date ($suite)"
        return
    fi
    unpack "$state" "$root.new"
    exec 9>"$CACHE/$krita/use.lock"
    flock 9  # until no Krita runs in it
    rm -rf --one-file-system "$root"
    mv "$root.new" "$root"
    forget_old_packages "$state"
    echo "Krita $krita: unpacked $(wc -l <"$root/$MARK") packages of $suite, $(du -sh "$root" | cut -f1)"
}

unpack() {  # unpack STATE ROOT
    local state=$1 root=$2 each name
    rm -rf --one-file-system "$root"
    # the links of merged /usr first, as not every package of every suite ships its files below /usr
    mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{proc,dev,sys,tmp,run,root,home,host,etc,var/tmp}
    for each in bin sbin lib lib64; do ln -s "usr/$each" "$root/$each"; done
    while read -r _ name; do
        # --keep-directory-symlink: a package that ships /lib as a folder must not replace the link
        dpkg-deb --fsys-tarfile "$state/archives/$name" | tar -x --keep-directory-symlink --no-same-owner -C "$root"
    done <"$state/wanted"
    finish "$root"
    cp "$state/wanted" "$root/$MARK"
}

finish() {  # what a few maintainer scripts would have done, and the way back to this machine
    local root=$1 library link
    echo "root:x:0:0:root:/root:/bin/bash" >"$root/etc/passwd"
    echo "root:x:0:" >"$root/etc/group"
    echo "127.0.0.1 localhost" >"$root/etc/hosts"
    for library in blas lapack; do  # update-alternatives
        link=$(find "$root/usr/lib" -path "*/$library/lib$library.so.3" | head -n 1)
        [ -z "$link" ] || ln -sfn "$library/lib$library.so.3" "$(dirname "$(dirname "$link")")/lib$library.so.3"
    done
    for link in "$root"/usr/bin/*-im[67].q16; do
        [ ! -e "$link" ] || ln -sfn "${link##*/}" "${link%-im[67].q16}"
    done
    [ -e "$root/usr/bin/sh" ] || ln -sfn dash "$root/usr/bin/sh"
    cat >"$root/usr/bin/on-host" <<'SH'
#!/bin/sh
# Runs a command of the machine that this folder lies on, in the same working folder.
exec /usr/sbin/chroot /host /bin/sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
SH
    chmod +x "$root/usr/bin/on-host"
}

forget_old_packages() {  # forget_old_packages STATE: all that are not in what was unpacked last
    local file
    for file in "$1"/archives/*.deb; do
        grep -qF "  ${file##*/}" "$1/wanted" || rm "$file"
    done
}

inside() {  # as root of a new mount namespace
    local root=$1 each folders there=$PWD
    shift
    mount --rbind / "$root/host"  # first: what is mounted below is not to appear in there
    cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true  # so that names of hosts are found
    for each in proc dev sys; do mount --rbind "/$each" "$root/$each"; done
    IFS=: read -r -a folders <<<"/tmp${KEEP:+:$KEEP}"
    for each in "${folders[@]}"; do
        [ -d "$root$each" ] || mkdir -p "$root$each"
        mount --rbind "$each" "$root$each"
    done
    exec "$(PATH="$PATH:/usr/sbin:/sbin" command -v chroot)" "$root" /bin/sh -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$there" "$@"
}

run() {
    suite_of "$1" >/dev/null
    local root="$CACHE/$1/root" user=()
    [ -f "$root/$MARK" ] || die "Krita $1 is not there; first: $0 make $1"
    exec 9>>"$CACHE/$1/use.lock"
    flock --shared 9
    shift
    [ "$(id -u)" -eq 0 ] || user=(--user --map-root-user)
    exec unshare "${user[@]}" --mount --propagation private "$BASH" "$(realpath "$0")" inside "$root" "$@"
}

path() {
    suite_of "$1" >/dev/null
    echo "$CACHE/$1/root"
}

remove() {
    suite_of "$1" >/dev/null
    rm -rf --one-file-system "${CACHE:?}/$1"
}

case ${1:-} in
    make | run | path | remove)
        [ -n "${2:-}" ] || die "which Krita? 5.1, 5.2, 5.3 or 6.0"
        "$@"
        ;;
    inside) "$@" ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" ;;
esac
