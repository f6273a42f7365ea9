#!/bin/sh
# Makes a Debian package of the relay from the output of `npm pack`:
#
#   npm pack && examples/debian/build.sh msrp-relay-0.1.0.tgz .
#
# Needs npm and dpkg-deb, but not root. DEBFULLNAME and DEBEMAIL set the maintainer. The package does not contain Node.js 24: it depends on
# `nodejs` of that version.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 TARBALL [FOLDER]" >&2; exit 2; }
tarball=$(realpath "$1")
out=$(realpath "${2:-.}")
here=$(realpath "$(dirname "$0")")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022

npm install --global --prefix "$root/npm" --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error "$tarball"
package=$root/npm/lib/node_modules/msrp-relay
version=$(node -p 'require(process.argv[1]).version' "$package/package.json")
maintainer="${DEBFULLNAME:-msrp-relay} <${DEBEMAIL:-msrp-relay@localhost}>"
deb=$root/deb
lib=$deb/usr/lib/msrp-relay
doc=$deb/usr/share/doc/msrp-relay
share=$package/dist/share

mkdir -p "$deb/DEBIAN" "$deb/usr/bin" "$deb/usr/lib/systemd/system" "$deb/usr/lib/sysusers.d" "$doc" \
  "$deb/usr/share/man/man1" "$deb/usr/share/bash-completion/completions" "$deb/usr/share/zsh/vendor-completions" \
  "$deb/usr/share/fish/vendor_completions.d" "$deb/etc/msrp-relay"
gzip -9n <"$share/msrp-relay.1" >"$deb/usr/share/man/man1/msrp-relay.1.gz"
cp "$share/completions/msrp-relay" "$deb/usr/share/bash-completion/completions/msrp-relay"
cp "$share/completions/_msrp-relay" "$deb/usr/share/zsh/vendor-completions/_msrp-relay"
cp "$share/completions/msrp-relay.fish" "$deb/usr/share/fish/vendor_completions.d/msrp-relay.fish"
# Documents and examples go where Debian expects them.
mv "$package/docs" "$package/examples" "$package/README.md" "$package/SECURITY.md" "$doc"
gzip -9n <"$package/CHANGELOG.md" >"$doc/changelog.gz"
{ echo "msrp-relay, and what it is built with, each under the licence in its folder below /usr/lib/msrp-relay:"; echo; cat "$package/LICENSE"; } >"$doc/copyright"
cp "$package/.env.example" "$deb/etc/msrp-relay/relay.env"
rm -rf "$package/CHANGELOG.md" "$package/src" "$share"
mkdir -p "$lib"
cp -R "$package/." "$lib"
find "$deb/usr/lib" \( -name '*.map' -o -name '*.d.ts' -o -name .npmignore \) -delete
printf 'msrp-relay (%s-1) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' \
  "$version" "$maintainer" "$(date -R)" | gzip -9n >"$doc/changelog.Debian.gz"
ln -s ../lib/msrp-relay/dist/service/bin.js "$deb/usr/bin/msrp-relay"
chmod 0755 "$lib/dist/service/bin.js"
# The unit of examples/systemd, with the paths of this package.
sed -e 's|/opt/msrp-relay/|/usr/lib/msrp-relay/|' -e '1,/^\[Unit\]/{/^#/d}' "$doc/examples/systemd/msrp-relay.service" \
  >"$deb/usr/lib/systemd/system/msrp-relay.service"
cp "$doc/examples/systemd/msrp-relay.sysusers.conf" "$deb/usr/lib/sysusers.d/msrp-relay.conf"
for script in postinst prerm postrm; do install -m 0755 "$here/$script" "$deb/DEBIAN/$script"; done
echo /etc/msrp-relay/relay.env >"$deb/DEBIAN/conffiles"
find "$deb" -type d -exec chmod 0755 {} +
find "$deb/usr" -type f ! -path "$lib/dist/service/bin.js" -exec chmod 0644 {} +
chmod 0640 "$deb/etc/msrp-relay/relay.env"
cat >"$deb/DEBIAN/control" <<CONTROL
Package: msrp-relay
Version: $version-1
Architecture: all
Maintainer: $maintainer
Section: net
Priority: optional
Depends: nodejs (>= 24.21)
Recommends: systemd
Installed-Size: $(du -ks "$deb/usr" | cut -f1)
Description: MSRP relay (RFC 4976)
 A relay of the Message Session Relay Protocol for clients behind firewalls
 and NATs: a service configured by environment variables, with users from a
 file, a database or a service over HTTP.
CONTROL
(cd "$deb" && find usr -type f -exec md5sum {} + | sort -k2 >DEBIAN/md5sums)
dpkg-deb --root-owner-group --build "$deb" "$out/msrp-relay_$version-1_all.deb"
