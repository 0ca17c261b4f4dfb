#!/bin/sh
# Puts what a running Conus needs into a folder, from a built source tree (npm ci builds it):
#
#   deploy/assemble.sh /opt/conus
#
# The folder is never written to afterwards; it may be read-only and belong to root.
set -eu
cd "$(dirname "$0")/.."
target=$1
[ -f dist/src/main.js ] || { echo 'dist/src/main.js is not there: run npm ci or npm run build first' >&2; exit 1; }
mkdir -p "$target/ismrmrd"
target=$(cd "$target" && pwd)

cp -R package.json package-lock.json .npmrc LICENSE dist stubs "$target/"
cp -R ismrmrd/package.json ismrmrd/dist "$target/ismrmrd/"
# Of each model the manifest, the graph and the card.
for manifest in models/*/manifest.json; do
  model=$(dirname "$manifest")
  mkdir -p "$target/$model"
  find "$model" -maxdepth 1 -type f ! -name '*.ts' -exec cp {} "$target/$model/" \;
done
(cd "$target" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund)

# The runtime of the models brings the libraries of every system.
here=$(node -p 'process.platform + "/" + process.arch')
for library in "$target"/node_modules/onnxruntime-node/bin/napi-v*/*/*; do
  case $library in */"$here") ;; *) rm -rf "$library" ;; esac
done
find "$target/dist" \( -name '*.tsbuildinfo' -o -name '*.d.ts' -o -name '*.d.ts.map' \) -delete
