#!/usr/bin/env bash
# Makes FOLDER the root of an arm64 system that holds the named Debian packages and what they depend
# on. Neither root nor dpkg's list of architectures is needed: apt-get works on a state of its own.
#   cmake/aarch64-sysroot.sh FOLDER PACKAGE…
# The sources are those of this system, so it must be Debian: Ubuntu's archive has no arm64.
set -euo pipefail

folder=$1
shift
apt=$folder.apt
rm -rf "$folder" "$apt"
mkdir -p "$folder" "$apt"/lists/partial "$apt"/cache/archives/partial
: >"$apt/status" # nothing is installed: all that the packages need is fetched
arm64() {
  apt-get -y -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User= \
    -o "Dir::State::Lists=$apt/lists" -o "Dir::State::status=$apt/status" \
    -o "Dir::State::extended_states=$apt/extended" -o "Dir::Cache=$apt/cache" "$@"
}
arm64 update
arm64 install --download-only --no-install-recommends "$@"
for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$folder"; done
# Links from the root of the system would lead out of the folder.
find "$folder" -lname '/*' | while read -r link; do
  ln -sfnr "$folder$(readlink "$link")" "$link"
done
rm -rf "$apt"
