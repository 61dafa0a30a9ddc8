#!/bin/sh
# Install the programs that some tests drive, where that is possible without asking anybody.
# Never fails: tests that miss a program skip and name the remedy.
missing=""
command -v chromium >/dev/null || missing="$missing chromium"
command -v soffice >/dev/null || missing="$missing libreoffice-calc libreoffice-impress libreoffice-writer"
command -v pdftoppm >/dev/null || missing="$missing poppler-utils"
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "Without apt-get, tests that need$missing skip."; exit 0; }

if [ "$(id -u)" = 0 ]; then sudo=""
elif sudo -n true 2>/dev/null; then sudo="sudo -n"
else echo "Tests that need a program will skip; to run them: sudo apt-get install$missing"; exit 0
fi
echo "Installing$missing"
log=$(mktemp)
if ! { $sudo apt-get -o DPkg::Lock::Timeout=120 update -qq && $sudo env DEBIAN_FRONTEND=noninteractive \
       apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 3 "$log"
  echo "Could not install$missing; tests that need it skip."
fi
rm -f "$log"
exit 0
