# shellcheck shell=bash
#
# Chroots of Debian's and Ubuntu's releases, for scripts/test-in and
# scripts/check-packages (these need root), and the mirror, also for
# scripts/foreign-postgres.  To be sourced after lib.sh.

is_ubuntu() { [[ $1 =~ ^(noble|plucky|questing|resolute)$ ]]; }

# Prints the mirror that apt uses on this machine: of Debian, or of Ubuntu on Ubuntu.
debian_mirror() {
    local mirror

    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(COMPONENT) $(SITE)' 'Created-By: Packages' |
        sed -nE 's#^main (.*/(debian|ubuntu)/?)$#\1#p' | head -n 1)
    [[ -n $mirror ]] || die "apt names no mirror of Debian"
    printf '%s\n' "$mirror"
}

# make_chroot RELEASE FOLDER MIRROR: a bare system in a new folder.  FOLDER.making is
# there until it is complete.
make_chroot() {
    local release=$1 chroot=$2 mirror=$3 base=$1 recipe=

    say "making a chroot of $release in $chroot"
    mkdir -p "$(dirname "$chroot")"
    touch "$chroot.making"
    [[ $release != experimental ]] || base=sid    # experimental has only packages that differ from sid
    if [[ ! -e /usr/share/debootstrap/scripts/$base ]]; then
        recipe=/usr/share/debootstrap/scripts/$(is_ubuntu "$base" && echo gutsy || echo sid)
    fi
    debootstrap --variant=minbase "$base" "$chroot" "$mirror" ${recipe:+"$recipe"} >"$chroot.log" 2>&1 || {
        tail -n 20 "$chroot.log" >&2
        die "debootstrap failed"
    }
    apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https)::Proxy' \
        >"$chroot/etc/apt/apt.conf.d/90proxy" || true
    # the mirror may be a snapshot, whose signature is valid but expired
    echo 'Acquire::Check-Valid-Until "false";' >"$chroot/etc/apt/apt.conf.d/91snapshot"
    if [[ $release == experimental ]]; then
        echo "deb $mirror experimental main" >"$chroot/etc/apt/sources.list.d/experimental.list"
        printf '%s\n' 'Package: postgresql* libpq*' 'Pin: release a=experimental' 'Pin-Priority: 990' \
            >"$chroot/etc/apt/preferences.d/experimental"
    fi
    printf '#!/bin/sh\nexit 101\n' >"$chroot/usr/sbin/policy-rc.d"
    chmod +x "$chroot/usr/sbin/policy-rc.d"
    rm -f "$chroot.making" "$chroot.log"
}
