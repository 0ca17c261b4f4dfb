#!/bin/sh
# Simulated CT for training and for testing, with `conus simulate`: simulate.sh OUT [train|test]
# Training: nearly noise-free, ramp filter alone (windows of softer kernels are applied in training).
# Testing: other seeds, the scanner's own Poisson and electronic noise, three kernels, five doses.
set -eu
conus=${CONUS:-conus}
out=$1
if [ "${2:-train}" = train ]; then
  for seed in 301 302 303 304 305 306 307 308 309 310 311 312; do
    [ -d "$out/train-$seed" ] || $conus simulate --seed $seed --pathology random --write ct --dose 1000000 --kernels ramLak \
      --ct-slices 6 --threads 1 -o "$out/train-$seed" > /dev/null
  done
else
  for seed in 401 402 403 404; do
    [ -d "$out/test-$seed" ] || $conus simulate --seed $seed --pathology random --write ct --dose 1000000,1,0.5,0.28,0.1 \
      --kernels soft,bone,ramLak --ct-slices 1 --threads 1 -o "$out/test-$seed" > /dev/null
  done
fi
