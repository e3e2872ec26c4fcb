#!/usr/bin/env bash
# System packages: look first, install what is missing where that is allowed, otherwise say the line.
set -u

have_library() { ldconfig -p 2>/dev/null | grep -q "$1"; }

missing=()
have_library libEGL.so.1 || have_library libOSMesa.so || missing+=(libegl1 libgl1-mesa-dri)
have_library libGL.so.1 || missing+=(libgl1)
have_library libglib-2.0.so.0 || missing+=(libglib2.0-0)
command -v gcc >/dev/null || missing+=(gcc)
command -v g++ >/dev/null || missing+=(g++)
headers=$("${1:-python3}" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -f "$headers/Python.h" ] || missing+=(python3-dev)
# The browser only serves the test of the live page.
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)

[ ${#missing[@]} -eq 0 ] && exit 0
line="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "expected the system packages ${missing[*]} (Debian names); install them and run again" >&2
  exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
elif command -v sudo >/dev/null && [ -t 0 ]; then
  read -r -p "Install ${missing[*]} with sudo? [y/N] " answer
  [ "$answer" = y ] || { echo "run: sudo sh -c '$line'" >&2; exit 1; }
  sudo sh -c "$line"
else
  echo "missing system packages; run: sudo sh -c '$line'" >&2
  exit 1
fi
