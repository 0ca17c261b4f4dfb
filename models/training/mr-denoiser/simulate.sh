#!/bin/sh
# The simulated spines of training (seeds 101 to 105) and of the tests (901 to 904), noise-free: simulate.sh OUT
set -e
out=$1
here=$(dirname "$0")
spine() { # seed protocol series [pathology]
  node "$here/../../../dist/src/main.js" simulate --protocol "$2" --seed "$1" --series "$3" ${4:+--pathology "$4"} \
    --snr 0 --write images --output "$out/$1-$(basename "$2" .json)-$3"
}
spine 101 lumbar-standard sag-t1w random
spine 102 cervical-standard sag-t2w
spine 103 thoracolumbar-standard sag-stir random
spine 104 lumbar-fast ax-t2w random
spine 105 lumbar-standard sag-t2w random
for series in sag-t2w sag-t1w sag-stir; do spine 901 lumbar-standard $series stenosis:L4-L5:severe,modic1:L5-S1; done
for series in sag-t2w sag-stir; do spine 902 cervical-standard $series; done
spine 903 lumbar-fast ax-t2w random
spine 904 "$here/thoracolumbar-pd.json" sag-pdw
