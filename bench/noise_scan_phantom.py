#!/usr/bin/env python3
"""The multi-coil phantom of make_phantom.py with a noise scan before it: noise_scan_phantom.py MAKE_PHANTOM CFL2MRD OUTDIR

Runs MAKE_PHANTOM's own code (320, 16 coils, 20 slices) and keeps, of the slice behind its figures, the noise-free
coil data and the mixing matrix of its noise. Writes OUTDIR/noisy_R{1,2,3,4}.mrd and OUTDIR/clean.mrd (fully sampled,
noise-free), each behind the same 12,800 noise samples, so that `conus recon` whitens all of them alike and
`conus compare` tells the error that noise and acceleration leave. Needs numpy."""
import pathlib, struct, subprocess, sys
import numpy as np

make_phantom, cfl2mrd, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
out.mkdir(parents=True, exist_ok=True)
N_NOISE_READOUTS = 40


def phantom():
    """Noise-free coil k-space [coils, lines, samples], noise level and mixing matrix of the middle slice."""
    argv, sys.argv = sys.argv, ["make_phantom", "320", "16", "20", str(out / "full")]
    scope = {}
    try:
        exec(compile(pathlib.Path(make_phantom).read_text(), make_phantom, "exec"), scope)
    finally:
        sys.argv = argv
    # The texture is random: the clean slice is what the script itself keeps beside the noisy one, so the coil data
    # are its combined image spread over the coils again.
    k = scope["S"] // 2
    sens = scope["sens"](k)
    rss = np.sqrt((abs(sens) ** 2).sum(0))
    coils = scope["clean"][k].real / rss * scope["ph"] * sens
    tissue = scope["clean"][k].real
    sigma = tissue[tissue > 0.05].mean() / 30 / np.sqrt(2)
    return scope["fft2c"](coils), sigma, scope["L"]


def write_cfl(name, data):
    c, n, x = data.shape
    (out / f"{name}.hdr").write_text(f"# Dimensions\n{x} {n} 1 {c} 1 1 1 1 1 1 1 1 1 1\n")
    np.ascontiguousarray(data, dtype=np.complex64).tofile(out / f"{name}.cfl")


def with_noise_scan(path, readouts):
    """Puts noise readouts (flag 19) before the first acquisition, its header copied."""
    raw = path.read_bytes()
    header_bytes, = struct.unpack_from("<I", raw, 1028)
    first = 1032 + header_bytes
    head = bytearray(raw[first:first + 342])
    struct.pack_into("<Q", head, 2 + 2, 1 << 18)
    noise = b"".join(bytes(head) + r.astype(np.complex64).tobytes() for r in readouts)
    # The noise is of the imaging bandwidth: no receiver filter between the two.
    xml = raw[1032:first].replace(b"<receiverChannels>", b"<relativeReceiverNoiseBandwidth>1</relativeReceiverNoiseBandwidth><receiverChannels>")
    path.write_bytes(raw[:1028] + struct.pack("<I", len(xml)) + xml + noise + raw[first:])


clean, sigma, mixing = phantom()
rng = np.random.default_rng(99)


def noise(shape):
    white = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    return np.einsum("ij,j...->i...", mixing, white) * sigma


write_cfl("clean", clean)
write_cfl("noisy", clean + noise(clean.shape))
readouts = [noise((16, 320)) for _ in range(N_NOISE_READOUTS)]
for source, r in [("clean", 1), *(("noisy", r) for r in (1, 2, 3, 4))]:
    target = out / ("clean.mrd" if source == "clean" else f"noisy_R{r}.mrd")
    subprocess.run([sys.executable, cfl2mrd, str(out / source), str(target), "--R", str(r)], check=True)
    with_noise_scan(target, readouts)
