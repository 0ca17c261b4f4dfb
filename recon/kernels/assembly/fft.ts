// Mixed-radix Stockham FFT, four independent lines at a time.
//
//   X[k] = sum_j x[j] exp(-2 pi i j k / n),   k = 0..n-1        (neither centred nor scaled)
//
// A block holds element j of four lines at 32 j: four real parts, then four imaginary parts. The lanes
// are independent, so that no stage shuffles; the autosort order (Stockham) needs a second block and
// no bit reversal. The inverse is the same transform with real and imaginary parts exchanged on the
// way in and out, which costs nothing.
//
// One stage of radix r, at current length n' = r m and stride s:
//   y[q + s (r p + j)] = w(n')^(p j) sum_k x[q + s (p + m k)] w(r)^(j k),   p < m, q < s.
//
// Plan (int32): n, nStages, method, then for each stage: radix, twiddles, roots.
//   method 0: stages;  1: chirp, see `chirpTransform`.
//   twiddles: complex64 [m, r - 1], w(n')^(p j), j = 1..r-1
//   roots: complex64 [r], exp(-2 pi i t / r), for radices without a codelet
//
// C. Temperton, J. Comput. Phys. 52 (1983) 1, doi 10.1016/0021-9991(83)90013-X.

/** Bytes of one element of a block: 4 lanes of real, then 4 of imaginary parts. */
export const ELEMENT: usize = 32;

const PLAN_STAGES: usize = 12;
const STAGE_BYTES: usize = 12;
const CHIRP = 1;

/**
 * The slot that the first of several blocks is loaded into, so that `transformSlots` leaves block b in
 * slot b: 0, or 1 where the stages end in the other block than they began in.
 */
export function firstSlot(plan: usize): i32 {
  return load<i32>(plan, 8) == CHIRP ? 0 : load<i32>(plan, 4) & 1;
}

/** Transforms blocks firstSlot .. firstSlot + count - 1 of count + 1 slots into the slots 0 .. count - 1. */
export function transformSlots(plan: usize, slots: usize, slotBytes: usize, count: i32): void {
  const shift = firstSlot(plan);
  for (let b = 0; b < count; b++) {
    const other = slots + slotBytes * (shift ? b : count);
    transformBlock(plan, slots + slotBytes * (b + shift), other);
  }
}

/**
 * Transforms a block; both blocks are overwritten.
 * @param x the input block
 * @param y a second block
 * @returns where the result lies: x or y
 */
function transformBlock(plan: usize, x: usize, y: usize): usize {
  if (load<i32>(plan, 8) == CHIRP) return chirpTransform(plan, x, y);
  const nStages = load<i32>(plan, 4);
  let length = load<i32>(plan);
  let s = 1;
  let at = plan + PLAN_STAGES;
  for (let stage = 0; stage < nStages; stage++) {
    const radix = load<i32>(at);
    const twiddles = <usize>load<u32>(at, 4);
    const m = length / radix;
    if (radix == 4) stage4(x, y, m, s, twiddles);
    else if (radix == 5) stage5(x, y, m, s, twiddles);
    else if (radix == 3) stage3(x, y, m, s, twiddles);
    else if (radix == 2) stage2(x, y, m, s, twiddles);
    else if (radix == 7) stage7(x, y, m, s, twiddles);
    else stageOdd(radix, x, y, m, s, twiddles, <usize>load<u32>(at, 8));
    const swap = x;
    x = y;
    y = swap;
    length = m;
    s *= radix;
    at += STAGE_BYTES;
  }
  return x;
}

@inline
function put(at: usize, re: v128, im: v128): void {
  v128.store(at, re);
  v128.store(at, im, 16);
}

/** Stores (re + i im) w, with w read at `twiddle` unless it is known to be 1. */
@inline
function putTurned(at: usize, re: v128, im: v128, twiddle: usize, turned: bool): void {
  if (turned) {
    const wr = v128.load32_splat(twiddle);
    const wi = v128.load32_splat(twiddle, 4);
    put(
      at,
      f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)),
      f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)),
    );
  } else {
    put(at, re, im);
  }
}

/** A mirrored pair of outputs, b_j = t - i v and b_(r-j) = t + i v, each turned. */
@inline
function putPair(
  near: usize, far: usize, tr: v128, ti: v128, vr: v128, vi: v128, wNear: usize, wFar: usize, turned: bool,
): void {
  putTurned(near, f32x4.add(tr, vi), f32x4.sub(ti, vr), wNear, turned);
  putTurned(far, f32x4.sub(tr, vi), f32x4.add(ti, vr), wFar, turned);
}

function stage2(x: usize, y: usize, m: i32, s: i32, twiddles: usize): void {
  const run = (<usize>s) * ELEMENT;
  const apart = run * m;
  butterflies2(x, y, run, apart, 0, false);
  for (let p = 1; p < m; p++) {
    x += run;
    y += 2 * run;
    twiddles += 8;
    butterflies2(x, y, run, apart, twiddles, true);
  }
}

@inline
function butterflies2(x: usize, y: usize, run: usize, apart: usize, w: usize, turned: bool): void {
  const end = x + run;
  while (x < end) {
    const ar = v128.load(x);
    const ai = v128.load(x, 16);
    const br = v128.load(x + apart);
    const bi = v128.load(x + apart, 16);
    put(y, f32x4.add(ar, br), f32x4.add(ai, bi));
    putTurned(y + run, f32x4.sub(ar, br), f32x4.sub(ai, bi), w, turned);
    x += ELEMENT;
    y += ELEMENT;
  }
}

function stage3(x: usize, y: usize, m: i32, s: i32, twiddles: usize): void {
  const run = (<usize>s) * ELEMENT;
  const apart = run * m;
  butterflies3(x, y, run, apart, 0, false);
  for (let p = 1; p < m; p++) {
    x += run;
    y += 3 * run;
    twiddles += 16;
    butterflies3(x, y, run, apart, twiddles, true);
  }
}

@inline
function butterflies3(x: usize, y: usize, run: usize, apart: usize, w: usize, turned: bool): void {
  const half = f32x4.splat(0.5);
  const sine = f32x4.splat(0.86602540378443864676);
  const end = x + run;
  while (x < end) {
    const ar = v128.load(x);
    const ai = v128.load(x, 16);
    const br = v128.load(x + apart);
    const bi = v128.load(x + apart, 16);
    const cr = v128.load(x + 2 * apart);
    const ci = v128.load(x + 2 * apart, 16);
    const ur = f32x4.add(br, cr);
    const ui = f32x4.add(bi, ci);
    const vr = f32x4.mul(sine, f32x4.sub(br, cr));
    const vi = f32x4.mul(sine, f32x4.sub(bi, ci));
    const tr = f32x4.sub(ar, f32x4.mul(half, ur));
    const ti = f32x4.sub(ai, f32x4.mul(half, ui));
    put(y, f32x4.add(ar, ur), f32x4.add(ai, ui));
    putPair(y + run, y + 2 * run, tr, ti, vr, vi, w, w + 8, turned);
    x += ELEMENT;
    y += ELEMENT;
  }
}

function stage4(x: usize, y: usize, m: i32, s: i32, twiddles: usize): void {
  const run = (<usize>s) * ELEMENT;
  const apart = run * m;
  butterflies4(x, y, run, apart, 0, false);
  for (let p = 1; p < m; p++) {
    x += run;
    y += 4 * run;
    twiddles += 24;
    butterflies4(x, y, run, apart, twiddles, true);
  }
}

@inline
function butterflies4(x: usize, y: usize, run: usize, apart: usize, w: usize, turned: bool): void {
  const end = x + run;
  while (x < end) {
    const ar = v128.load(x);
    const ai = v128.load(x, 16);
    const cr = v128.load(x + 2 * apart);
    const ci = v128.load(x + 2 * apart, 16);
    const sr = f32x4.add(ar, cr);
    const si = f32x4.add(ai, ci);
    const dr = f32x4.sub(ar, cr);
    const di = f32x4.sub(ai, ci);
    const br = v128.load(x + apart);
    const bi = v128.load(x + apart, 16);
    const er = v128.load(x + 3 * apart);
    const ei = v128.load(x + 3 * apart, 16);
    const tr = f32x4.add(br, er);
    const ti = f32x4.add(bi, ei);
    const ur = f32x4.sub(br, er);
    const ui = f32x4.sub(bi, ei);
    put(y, f32x4.add(sr, tr), f32x4.add(si, ti));
    putTurned(y + run, f32x4.add(dr, ui), f32x4.sub(di, ur), w, turned);
    putTurned(y + 2 * run, f32x4.sub(sr, tr), f32x4.sub(si, ti), w + 8, turned);
    putTurned(y + 3 * run, f32x4.sub(dr, ui), f32x4.add(di, ur), w + 16, turned);
    x += ELEMENT;
    y += ELEMENT;
  }
}

function stage5(x: usize, y: usize, m: i32, s: i32, twiddles: usize): void {
  const run = (<usize>s) * ELEMENT;
  const apart = run * m;
  butterflies5(x, y, run, apart, 0, false);
  for (let p = 1; p < m; p++) {
    x += run;
    y += 5 * run;
    twiddles += 32;
    butterflies5(x, y, run, apart, twiddles, true);
  }
}

@inline
function butterflies5(x: usize, y: usize, run: usize, apart: usize, w: usize, turned: bool): void {
  const c1 = f32x4.splat(0.30901699437494742410);
  const c2 = f32x4.splat(-0.80901699437494742410);
  const s1 = f32x4.splat(0.95105651629515357212);
  const s2 = f32x4.splat(0.58778525229247312917);
  const end = x + run;
  while (x < end) {
    const ar = v128.load(x);
    const ai = v128.load(x, 16);
    const br = v128.load(x + apart);
    const bi = v128.load(x + apart, 16);
    const cr = v128.load(x + 2 * apart);
    const ci = v128.load(x + 2 * apart, 16);
    const dr = v128.load(x + 3 * apart);
    const di = v128.load(x + 3 * apart, 16);
    const er = v128.load(x + 4 * apart);
    const ei = v128.load(x + 4 * apart, 16);
    const u1r = f32x4.add(br, er);
    const u1i = f32x4.add(bi, ei);
    const v1r = f32x4.sub(br, er);
    const v1i = f32x4.sub(bi, ei);
    const u2r = f32x4.add(cr, dr);
    const u2i = f32x4.add(ci, di);
    const v2r = f32x4.sub(cr, dr);
    const v2i = f32x4.sub(ci, di);
    put(y, f32x4.add(ar, f32x4.add(u1r, u2r)), f32x4.add(ai, f32x4.add(u1i, u2i)));
    const t1r = f32x4.add(ar, f32x4.add(f32x4.mul(c1, u1r), f32x4.mul(c2, u2r)));
    const t1i = f32x4.add(ai, f32x4.add(f32x4.mul(c1, u1i), f32x4.mul(c2, u2i)));
    const w1r = f32x4.add(f32x4.mul(s1, v1r), f32x4.mul(s2, v2r));
    const w1i = f32x4.add(f32x4.mul(s1, v1i), f32x4.mul(s2, v2i));
    putPair(y + run, y + 4 * run, t1r, t1i, w1r, w1i, w, w + 24, turned);
    const t2r = f32x4.add(ar, f32x4.add(f32x4.mul(c2, u1r), f32x4.mul(c1, u2r)));
    const t2i = f32x4.add(ai, f32x4.add(f32x4.mul(c2, u1i), f32x4.mul(c1, u2i)));
    const w2r = f32x4.sub(f32x4.mul(s2, v1r), f32x4.mul(s1, v2r));
    const w2i = f32x4.sub(f32x4.mul(s2, v1i), f32x4.mul(s1, v2i));
    putPair(y + 2 * run, y + 3 * run, t2r, t2i, w2r, w2i, w + 8, w + 16, turned);
    x += ELEMENT;
    y += ELEMENT;
  }
}

function stage7(x: usize, y: usize, m: i32, s: i32, twiddles: usize): void {
  const run = (<usize>s) * ELEMENT;
  const apart = run * m;
  butterflies7(x, y, run, apart, 0, false);
  for (let p = 1; p < m; p++) {
    x += run;
    y += 7 * run;
    twiddles += 48;
    butterflies7(x, y, run, apart, twiddles, true);
  }
}

@inline
function butterflies7(x: usize, y: usize, run: usize, apart: usize, w: usize, turned: bool): void {
  const c1 = f32x4.splat(0.62348980185873353053);
  const c2 = f32x4.splat(-0.22252093395631440429);
  const c3 = f32x4.splat(-0.90096886790241912624);
  const s1 = f32x4.splat(0.78183148246802980871);
  const s2 = f32x4.splat(0.97492791218182360702);
  const s3 = f32x4.splat(0.43388373911755812048);
  const end = x + run;
  while (x < end) {
    const ar = v128.load(x);
    const ai = v128.load(x, 16);
    const br = v128.load(x + apart);
    const bi = v128.load(x + apart, 16);
    const cr = v128.load(x + 6 * apart);
    const ci = v128.load(x + 6 * apart, 16);
    const u1r = f32x4.add(br, cr);
    const u1i = f32x4.add(bi, ci);
    const v1r = f32x4.sub(br, cr);
    const v1i = f32x4.sub(bi, ci);
    const dr = v128.load(x + 2 * apart);
    const di = v128.load(x + 2 * apart, 16);
    const er = v128.load(x + 5 * apart);
    const ei = v128.load(x + 5 * apart, 16);
    const u2r = f32x4.add(dr, er);
    const u2i = f32x4.add(di, ei);
    const v2r = f32x4.sub(dr, er);
    const v2i = f32x4.sub(di, ei);
    const fr = v128.load(x + 3 * apart);
    const fi = v128.load(x + 3 * apart, 16);
    const gr = v128.load(x + 4 * apart);
    const gi = v128.load(x + 4 * apart, 16);
    const u3r = f32x4.add(fr, gr);
    const u3i = f32x4.add(fi, gi);
    const v3r = f32x4.sub(fr, gr);
    const v3i = f32x4.sub(fi, gi);
    put(y, f32x4.add(f32x4.add(ar, u1r), f32x4.add(u2r, u3r)), f32x4.add(f32x4.add(ai, u1i), f32x4.add(u2i, u3i)));
    const t1r = f32x4.add(ar, weighted(c1, u1r, c2, u2r, c3, u3r));
    const t1i = f32x4.add(ai, weighted(c1, u1i, c2, u2i, c3, u3i));
    const w1r = weighted(s1, v1r, s2, v2r, s3, v3r);
    const w1i = weighted(s1, v1i, s2, v2i, s3, v3i);
    putPair(y + run, y + 6 * run, t1r, t1i, w1r, w1i, w, w + 40, turned);
    const t2r = f32x4.add(ar, weighted(c2, u1r, c3, u2r, c1, u3r));
    const t2i = f32x4.add(ai, weighted(c2, u1i, c3, u2i, c1, u3i));
    const w2r = f32x4.sub(f32x4.mul(s2, v1r), f32x4.add(f32x4.mul(s3, v2r), f32x4.mul(s1, v3r)));
    const w2i = f32x4.sub(f32x4.mul(s2, v1i), f32x4.add(f32x4.mul(s3, v2i), f32x4.mul(s1, v3i)));
    putPair(y + 2 * run, y + 5 * run, t2r, t2i, w2r, w2i, w + 8, w + 32, turned);
    const t3r = f32x4.add(ar, weighted(c3, u1r, c1, u2r, c2, u3r));
    const t3i = f32x4.add(ai, weighted(c3, u1i, c1, u2i, c2, u3i));
    const w3r = f32x4.sub(f32x4.add(f32x4.mul(s3, v1r), f32x4.mul(s2, v3r)), f32x4.mul(s1, v2r));
    const w3i = f32x4.sub(f32x4.add(f32x4.mul(s3, v1i), f32x4.mul(s2, v3i)), f32x4.mul(s1, v2i));
    putPair(y + 3 * run, y + 4 * run, t3r, t3i, w3r, w3i, w + 16, w + 24, turned);
    x += ELEMENT;
    y += ELEMENT;
  }
}

@inline
function weighted(a: v128, x: v128, b: v128, y: v128, c: v128, z: v128): v128 {
  return f32x4.add(f32x4.mul(a, x), f32x4.add(f32x4.mul(b, y), f32x4.mul(c, z)));
}

/**
 * Any odd radix r by the definition, with the symmetry of the roots: from u_k = a_k + a_(r-k) and
 * v_k = a_k - a_(r-k), k = 1..(r-1)/2,
 *   b_j, b_(r-j) = a_0 + sum_k cos(2 pi j k / r) u_k -+ i sum_k sin(2 pi j k / r) v_k.
 * u and v take the place of the inputs, which nobody reads again.
 */
function stageOdd(r: i32, x: usize, y: usize, m: i32, s: i32, twiddles: usize, roots: usize): void {
  const run = (<usize>s) * ELEMENT;
  const apart = run * m;
  const half = (r - 1) >> 1;
  for (let p = 0; p < m; p++) {
    for (const end = x + run; x < end; x += ELEMENT, y += ELEMENT) {
      const ar = v128.load(x);
      const ai = v128.load(x, 16);
      let sumR = ar;
      let sumI = ai;
      for (let k = 1; k <= half; k++) {
        const near = x + apart * k;
        const far = x + apart * (r - k);
        const br = v128.load(near);
        const bi = v128.load(near, 16);
        const cr = v128.load(far);
        const ci = v128.load(far, 16);
        const ur = f32x4.add(br, cr);
        const ui = f32x4.add(bi, ci);
        put(near, ur, ui);
        put(far, f32x4.sub(br, cr), f32x4.sub(bi, ci));
        sumR = f32x4.add(sumR, ur);
        sumI = f32x4.add(sumI, ui);
      }
      put(y, sumR, sumI);
      for (let j = 1; j <= half; j++) {
        let tr = ar;
        let ti = ai;
        let vr = f32x4.splat(0);
        let vi = f32x4.splat(0);
        let turn = 0;
        for (let k = 1; k <= half; k++) {
          turn += j;
          if (turn >= r) turn -= r;
          const near = x + apart * k;
          const far = x + apart * (r - k);
          const cosine = v128.load32_splat(roots + ((<usize>turn) << 3));
          const minusSine = v128.load32_splat(roots + ((<usize>turn) << 3), 4);
          tr = f32x4.add(tr, f32x4.mul(cosine, v128.load(near)));
          ti = f32x4.add(ti, f32x4.mul(cosine, v128.load(near, 16)));
          vr = f32x4.sub(vr, f32x4.mul(minusSine, v128.load(far)));
          vi = f32x4.sub(vi, f32x4.mul(minusSine, v128.load(far, 16)));
        }
        const w = twiddles + ((<usize>(j - 1)) << 3);
        const wMirror = twiddles + ((<usize>(r - j - 1)) << 3);
        putPair(y + run * j, y + run * (r - j), tr, ti, vr, vi, w, wMirror, true);
      }
    }
    y += run * (r - 1);
    twiddles += (<usize>(r - 1)) << 3;
  }
}

/**
 * Lengths with a large prime factor, as a circular convolution of smooth length m >= 2 n - 1:
 *   X[k] = c[k] sum_j (x[j] c[j]) conj(c[k - j]),   c[j] = exp(-i pi j^2 / n).
 * Plan: n, -, 1, m, plan of length m, chirp c complex64 [n], spectrum complex64 [m] of conj(c) wrapped,
 * divided by m. Blocks hold m elements.
 * L. I. Bluestein, IEEE Trans. Audio Electroacoust. 18 (1970) 451, doi 10.1109/TAU.1970.1162132.
 */
function chirpTransform(plan: usize, x: usize, y: usize): usize {
  const n = load<i32>(plan);
  const m = load<i32>(plan, 12);
  const inner = <usize>load<u32>(plan, 16);
  const chirp = <usize>load<u32>(plan, 20);
  const spectrum = <usize>load<u32>(plan, 24);
  turn(x, chirp, n, 0);
  memory.fill(x + ELEMENT * n, 0, ELEMENT * (m - n));
  const forward = transformBlock(inner, x, y);
  // The exchange of real and imaginary parts turns the second forward transform into an inverse one.
  turn(forward, spectrum, m, 16);
  const back = transformBlock(inner, forward, forward == x ? y : x);
  exchange(back, n);
  turn(back, chirp, n, 0);
  return back;
}

/** Multiplies element j of a block by factors[j]; `reAt` 16 exchanges real and imaginary parts on the way. */
function turn(block: usize, factors: usize, n: i32, reAt: usize): void {
  for (const end = block + ELEMENT * n; block < end; block += ELEMENT) {
    const wr = v128.load32_splat(factors);
    const wi = v128.load32_splat(factors, 4);
    const re = v128.load(block);
    const im = v128.load(block, 16);
    v128.store(block + reAt, f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)));
    v128.store(block + 16 - reAt, f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)));
    factors += 8;
  }
}

function exchange(block: usize, n: i32): void {
  for (const end = block + ELEMENT * n; block < end; block += ELEMENT) {
    const re = v128.load(block);
    v128.store(block, v128.load(block, 16));
    v128.store(block, re, 16);
  }
}
