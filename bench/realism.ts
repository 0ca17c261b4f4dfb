/**
 * How near simulated T2w slices come to real ones: a panel to look at, and two distances.
 *
 *   npx tsx bench/realism.ts REAL_FOLDER PANEL.png [seeds]
 *
 * REAL_FOLDER holds sagittal lumbar T2w slices as grey PNG, from scanners that even out the shading of their coils
 * each in its own way. Real and simulated slices alike are cut to the body, brought to one height and evened out:
 *
 *   v / local,  local = the mean of the body's pixels about a pixel (three boxes, a Gaussian of an eighth of the height)
 *
 * and divided by their 90th percentile; what is above 1 is cut to 1, for the real ones are stored with a window in
 * which a tenth of the body is white. A quarter of the seeds have a saturation band before the spine, about as many
 * as of the real ones show one, and half lie beside the midline. Two distances between groups of slices, each beside
 * the distance between two halves of the real ones, which is what patients and scanners differ by:
 *
 *   histogram   ∫ |P(v) - Q(v)| dv of the mean distributions of grey values (the earth mover's distance)
 *   spectrum    rms over frequency, in dB, of the mean radial power spectra, each of unit power, 3 to 100 cycles a height
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { captioned, encodePng, greyPicture, montage, windowBetween, type Picture } from '../imaging/index.js';
import { loadUnresolvedProtocol } from '../src/protocols/index.js';
import { ReconstructionPool } from '../src/reconstruction/index.js';
import { Session, type SessionAnswer } from '../src/session/index.js';
import { SimulatedExam } from '../src/simulation/index.js';
import { drawPatient } from '../simulator/index.js';

interface Slice {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

const height = 320;
const nShown = 12;

const [realFolder = '../shared/data/spine-mr/spider-t2w-labels/images', panelPath = 'realism.png', nSeeds = String(nShown)] = process.argv.slice(2);
const real = realSlices(realFolder);
const simulated: Slice[] = [];
for (let seed = 1; seed <= Number(nSeeds); seed++) simulated.push(await simulatedSlice(seed));

const odd = real.filter((_, index) => index % 2 === 1);
const even = real.filter((_, index) => index % 2 === 0);
for (const [name, distance] of [['histogram', histogramDistance], ['spectrum, dB', spectrumDistance]] as const) {
  console.log(`${name}: simulated against real ${distance(simulated, real).toFixed(3)}, real against real ${distance(odd, even).toFixed(3)}`);
}
const row = (slices: readonly Slice[]): Picture[] =>
  slices.slice(0, nShown).map(({ name, rows, columns, values }) => captioned(greyPicture(values, rows, columns, windowBetween(0, 1)), name));
writeFileSync(panelPath, encodePng(montage([...row(simulated.slice(0, 6)), ...row(real.slice(0, 6))])));
writeFileSync(panelPath.replace(/\.png$/, '-2.png'), encodePng(montage([...row(simulated.slice(6)), ...row(real.slice(6, 12))])));

/** One of each patient, those whose pixels are nearly square: others were stretched when they were stored. */
function realSlices(folder: string): Slice[] {
  const seen = new Set<string>();
  return readdirSync(folder).sort().flatMap((file) => {
    const patient = file.split('_')[0]!;
    const { width, height: rows, channels, data } = decode(readFileSync(join(folder, file)));
    if (seen.has(patient) || rows / width > 1.2) return [];
    seen.add(patient);
    const values = Float32Array.from({ length: width * rows }, (_, pixel) => {
      // These collections have the feet on top.
      const from = rows - 1 - Math.floor(pixel / width);
      return data[(from * width + (pixel % width)) * channels]!;
    });
    return [normalised({ name: `real ${patient}`, rows, columns: width, values })];
  });
}

async function simulatedSlice(seed: number): Promise<Slice> {
  const protocol = await loadUnresolvedProtocol('lumbar-standard');
  const series = protocol.series.find(({ id }) => id === 'sag-t2w')!;
  const { slices: stack } = series.geometry;
  // One slice in the midline, or the first of two that lie apart.
  const slices = seed % 4 < 2 ? { ...stack, count: 1 } : { ...stack, count: 2, gapMm: 2 * (6 + (seed % 5) * 3) - stack.thicknessMm };
  const one = { ...series, geometry: { ...series.geometry, slices }, saturation: seed % 4 === 0 ? series.saturation : [] };
  const spec = {
    protocol: { ...protocol, series: [one] },
    subject: { kind: 'patient' as const, record: drawPatient({ seed, pathology: 'random', region: 'lumbar' }, protocol.fieldStrengthT) },
    scan: { seed },
    ct: {},
  };
  const exam = new SimulatedExam(spec, 1);
  const pool = new ReconstructionPool({ threads: 1 });
  try {
    const stream = await exam.simulate(one.id);
    const images: Slice[] = [];
    const answer: SessionAnswer = {
      begin: () => undefined,
      image: ({ kind, rows, columns, data }) => {
        if (kind !== 'image') return;
        const values = Float32Array.from({ length: rows * columns }, (_, pixel) => Math.hypot(data[2 * pixel]!, data[2 * pixel + 1]!));
        images.push({ name: `seed ${seed}`, rows, columns, values });
      },
      returned: () => undefined,
      text: () => undefined,
      response: () => undefined,
      dependency: () => undefined,
      ready: () => undefined,
      notices: () => [],
      close: () => Promise.resolve(),
    };
    const session = new Session({ id: 'realism', overrides: {}, reconstructions: pool, answer, savesRaw: false });
    for (const { parts } of stream.timed()) for (const part of parts) await session.write(part);
    await session.end();
    return normalised(images[0]!);
  } finally {
    await exam.close();
    await pool.close();
  }
}

/** Cut to the body, at one height, evened out, the brightest tenth of the body at 1. */
function normalised({ name, rows, columns, values }: Slice): Slice {
  const bright = percentile(values, 0.99);
  const isBody = (column: number) => {
    let count = 0;
    for (let r = 0; r < rows; r++) if (values[r * columns + column]! > 0.12 * bright) count += 1;
    return count > 0.15 * rows;
  };
  let [first, last] = [0, columns - 1];
  while (first < last && !isBody(first)) first += 1;
  while (last > first && !isBody(last)) last -= 1;
  const width = Math.round(((last - first + 1) * height) / rows);
  const resized = new Float32Array(width * height);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      resized[r * width + c] = areaMean(values, columns, (r * rows) / height, ((r + 1) * rows) / height, first + (c * rows) / height, first + ((c + 1) * rows) / height);
    }
  }
  const even = evenedOut(resized, width, 0.1 * bright);
  const white = percentile(even.filter((_, pixel) => resized[pixel]! > 0.1 * bright), 0.9);
  return { name, rows: height, columns: width, values: even.map((value) => Math.min(1, value / white)) };
}

function evenedOut(values: Float32Array, columns: number, leastOfBody: number): Float32Array {
  const body = values.map((value) => (value > leastOfBody ? 1 : 0));
  const [sum, count] = [smoothed(values.map((value, pixel) => value * body[pixel]!), columns), smoothed(body, columns)];
  return values.map((value, pixel) => value / Math.max(leastOfBody, sum[pixel]! / Math.max(count[pixel]!, 0.05)));
}

/** Three boxes along each axis; 0 lies outside. */
function smoothed(values: Float32Array, columns: number): Float32Array {
  const half = height / 8;
  const rows = values.length / columns;
  let from = values;
  for (const [step, length, lines, lineStep] of [[1, columns, rows, columns], [columns, rows, columns, 1]] as const) {
    for (let pass = 0; pass < 3; pass++) {
      const to = new Float32Array(from.length);
      for (let line = 0; line < lines; line++) {
        let sum = 0;
        for (let i = -half; i < length; i++) {
          if (i + half < length) sum += from[line * lineStep + (i + half) * step]!;
          if (i - half - 1 >= 0) sum -= from[line * lineStep + (i - half - 1) * step]!;
          if (i >= 0) to[line * lineStep + i * step] = sum / (2 * half + 1);
        }
      }
      from = to;
    }
  }
  return from;
}

function areaMean(values: Float32Array, columns: number, top: number, bottom: number, left: number, right: number): number {
  let [sum, area] = [0, 0];
  const rows = values.length / columns;
  for (let r = Math.floor(top); r < Math.min(bottom, rows); r++) {
    const h = Math.min(r + 1, bottom) - Math.max(r, top);
    for (let c = Math.floor(left); c < Math.min(right, columns); c++) {
      const weight = h * (Math.min(c + 1, right) - Math.max(c, left));
      sum += weight * values[r * columns + c]!;
      area += weight;
    }
  }
  return area > 0 ? sum / area : 0;
}

function histogramDistance(a: readonly Slice[], b: readonly Slice[]): number {
  const [p, q] = [cumulative(a), cumulative(b)];
  return p.reduce((sum, value, bin) => sum + Math.abs(value - q[bin]!) * 0.01, 0);
}

/** Of grey values from 0 to 1 in steps of 0.01; every slice counts alike. */
function cumulative(slices: readonly Slice[]): number[] {
  const counts = new Array<number>(101).fill(0);
  for (const { values } of slices) for (const value of values) counts[Math.min(100, Math.floor(value * 100))]! += 1 / (values.length * slices.length);
  let sum = 0;
  return counts.map((count) => (sum += count));
}

function spectrumDistance(a: readonly Slice[], b: readonly Slice[]): number {
  const [p, q] = [meanSpectrum(a), meanSpectrum(b)];
  const squares = p.map((value, f) => (10 * Math.log10(value / q[f]!)) ** 2);
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
}

/** Power at 3 to 100 cycles a height, from the lines along columns with a Hann window, of unit sum. */
function meanSpectrum(slices: readonly Slice[]): number[] {
  const total = new Array<number>(98).fill(0);
  for (const { columns, values } of slices) {
    const power = new Array<number>(98).fill(0);
    for (let c = 0; c < columns; c += 4) {
      for (let f = 3; f <= 100; f++) {
        let [re, im] = [0, 0];
        for (let r = 0; r < height; r++) {
          const value = values[r * columns + c]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * (r + 0.5)) / height));
          const angle = (2 * Math.PI * f * r) / height;
          re += value * Math.cos(angle);
          im += value * Math.sin(angle);
        }
        power[f - 3]! += re * re + im * im;
      }
    }
    const sum = power.reduce((so, value) => so + value, 0);
    power.forEach((value, f) => { total[f]! += value / sum / slices.length; });
  }
  return total;
}

function percentile(values: Float32Array, share: number): number {
  return Float32Array.from(values).sort()[Math.floor(share * (values.length - 1))]!;
}
