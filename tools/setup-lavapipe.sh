#!/usr/bin/env bash
# Installs lavapipe, Mesa's Vulkan driver for the CPU, on Debian and Ubuntu; does nothing where Dawn
# finds a system adapter already. Mesa 25.0 is tried; Debian 12's own 22.3 is refused by Dawn, so
# there it comes from backports, by the mirror that apt uses already. Asks for sudo if not root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usable() {
  timeout 60 node --input-type=module -e '
    import { create } from "webgpu";
    globalThis.gpu = create([]);
    const adapter = await gpu.requestAdapter();
    if (adapter) console.log("adapter:", adapter.info.vendor, adapter.info.description);
    process.exit(adapter ? 0 : 1);' 2>/dev/null
}

# Under sudo, node_modules must still belong to the clone's owner: the next command runs without root.
as_owner() {
  local owner
  owner=$(stat -c %u . 2>/dev/null || echo 0)
  if [ "$(id -u)" != 0 ] || [ "$owner" = 0 ]; then "$@"; return; fi
  setpriv --reuid "$owner" --regid "$(stat -c %g .)" --clear-groups \
    env -u npm_config_cache -u npm_config_userconfig \
    HOME="$(getent passwd "$owner" | cut -d: -f6)" "$@"
}

as_owner node tools/setup.mjs --packages
if usable; then exit 0; fi
if [ "$(uname -s)" != Linux ] || ! command -v apt-get >/dev/null; then
  echo "no adapter, and no apt-get here: install Mesa's lavapipe (25 or newer) by your own means" >&2
  exit 1
fi
SUDO=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || {
    echo "this needs root, and there is no sudo: ask an administrator to run tools/setup-lavapipe.sh" >&2
    exit 1
  }
  SUDO=sudo
fi

retry() {
  local try
  for try in 1 2 3; do
    if "$@"; then return 0; fi
    echo "failed (try $try of 3): $*" >&2
    sleep $((try * 5))
  done
  return 1
}

. /etc/os-release
export DEBIAN_FRONTEND=noninteractive
TARGET=()
retry $SUDO apt-get update -q # first: indextargets below lists only downloaded indexes
if [ "${ID:-}" = debian ] && [ "${VERSION_CODENAME:-}" = bookworm ]; then
  POLICY=$(apt-cache policy) # captured first: grep -q on a pipe would trip pipefail
  if ! grep -q 'n=bookworm-backports' <<<"$POLICY"; then
    MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
      awk '$2 == "bookworm" && !found { print $1; found = 1 }')
    [ -n "$MIRROR" ] || { echo "cannot tell which Debian mirror this machine uses" >&2; exit 1; }
    printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "${MIRROR%/}" |
      $SUDO tee /etc/apt/sources.list.d/bookworm-backports.sources >/dev/null
    retry $SUDO apt-get update -q
  fi
  TARGET=(-t bookworm-backports)
fi
retry $SUDO apt-get install -q -y --no-install-recommends "${TARGET[@]}" mesa-vulkan-drivers libvulkan1
usable || { echo "the driver is installed, but Dawn still finds no adapter: is Mesa older than 25?" >&2; exit 1; }
