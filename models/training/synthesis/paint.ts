/**
 * What the synthesis networks learn from and are tested on: slices of simulated patients, each with what the scanner
 * would measure of it without noise and shading, the series that was not scanned, and the tissue behind them.
 *
 *   npx tsx paint.ts OUT --first 1000 --count 300 [--prior wide|narrow|mixed] [--lesions mixed|none|KINDS] [--slices 7]
 *     [--region lumbar|cervical|thoracolumbar] [--orientation sagittal|axial] [--pixel 0.65,1.1] [--lumbar drawn|varied]
 *     [--lateral 35] [--planes world|disc|lesion] [--stack 12] [--as images|shares]
 *
 * `--lumbar varied` has as many patients with four and with six lumbar vertebrae as with five; `--lateral` spreads sagittal slices evenly
 * up to so many millimetres off the midline; `--planes disc` lays axial slices into the discs' own planes (not within the sacrum), tilted and shifted a little;
 * `--planes lesion` into those of the discs that something ails, shifted less: a narrow canal is as short as its disc is high.
 * `--stack` makes of each slice the middle of a series: so many parallel slices of one person's tissues and one scan, a tenth of their thickness apart.
 *
 * For each patient OUT/SEED.json tells the slices' sequences and OUT/SEED.bin holds int16 [slice, channel, row, column],
 * a channel times its scale. Signals are those of imaging/signal.ts summed over the tissues of a voxel, water and fat
 * apart and the fat shifted along the readout where the acquired images are, so that partial volumes are as in a scanner.
 *
 * `--as shares` writes what the same slices are made of instead, so that training draws their tissues and sequences anew whenever it
 * uses them (scanner.py): uint8 [slice, 9, row, column], four tissues of each pixel by their place in SEED.json's table, the 255ths that
 * each takes, and marks (1: in a vertebral body, 2: in a lesion).
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  fastSpinEcho, fatSaturation, inversionRecoveryFastSpinEcho, nullingInversionTimeMs, waterAndFat, fatAt,
  type FastSpinEchoSequence, type Fat, type FieldStrengthT, type Tissue, type Vector3,
} from '../../../imaging/index.js';
import {
  buildPatient, drawPatient, outOfFrame, paintChannels, paintLabels, paintShares, Random,
  type Anatomy, type Frame, type PatientRecord, type Plane, type SimulatedPatient,
} from '../../../simulator/index.js';
import { fatSaturationPulse } from '../../../synth/index.js';

const matrix = 288;
/** Channels and what a stored integer is divided by. */
const channels = {
  t1w: 20_000, t2w: 20_000, stir: 20_000, t2fs: 20_000,
  protonDensity: 20_000, t1Ms: 5, t2Ms: 12, fatFraction: 20_000, hounsfield: 8, label: 1, lesion: 1,
} as const;

const prior = { wide: () => 1, narrow: () => 0.25, mixed: (random: Random) => 1.2 * random.uniform() } as const;

/** What ails the patients of training, drawn evenly; most have lesions of marrow, which prevalence would make rare. */
const lesionMixtures: readonly string[] = [
  '', 'random', 'random', 'random:grades=uniform', 'metastasis,modic1', 'metastasis,metastasis:L4,haemangioma:L2', 'modic1,modic2:L5-S1',
  'fracture:oedema=yes', 'fracture:oedema=yes,haemangioma', 'fracture:oedema=no', 'spondylodiscitis', 'schmorl:oedema=yes,modic1', 'modicmixed,modic3',
  'haemangioma,modic2', 'metastasis:matrix=sclerotic,metastasis:L2:matrix=lytic', 'stenosis,degeneration,modic1', 'extrusion,fatty', 'plaque', 'contusion',
];

/** Which tissues are lesions in another one: drawn between it and the full lesion, so that mild ones are learned too. */
const mildForm: Readonly<Record<string, string>> = {
  marrowOedema: 'cancellousBone', modic1: 'cancellousBone', metastasis: 'cancellousBone', acuteFracture: 'cancellousBone',
  schmorlOedema: 'cancellousBone', modic2: 'cancellousBone', modic3: 'cancellousBone', msPlaque: 'cord', contusion: 'cord',
};

interface Sequences {
  readonly t1w: FastSpinEchoSequence;
  readonly t2w: FastSpinEchoSequence;
  readonly stir: FastSpinEchoSequence & { readonly tiMs: number };
  readonly t2fs: FastSpinEchoSequence;
}

function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

function drawSequences(random: Random, fieldStrengthT: FieldStrengthT): Sequences {
  const refocusingAngleDeg = between(random, 130, 180);
  const echoes = (least: number, most: number) => Math.round(between(random, least, most));
  const t1w = { trMs: between(random, 400, 850), teMs: between(random, 7, 15), echoTrainLength: echoes(2, 5), echoSpacingMs: between(random, 7, 12), refocusingAngleDeg };
  const t2w = { trMs: between(random, 2500, 6000), teMs: between(random, 75, 125), echoTrainLength: echoes(12, 24), echoSpacingMs: between(random, 7, 12), refocusingAngleDeg };
  const t2fs = { trMs: between(random, 2500, 6000), teMs: between(random, 50, 100), echoTrainLength: echoes(10, 20), echoSpacingMs: between(random, 7, 12), refocusingAngleDeg };
  const inverted = { trMs: between(random, 3500, 6500), teMs: between(random, 30, 75), echoTrainLength: echoes(8, 16), echoSpacingMs: between(random, 7, 12), refocusingAngleDeg };
  const tiMs = nullingInversionTimeMs(fatAt(fieldStrengthT).t1Ms, inverted) + 8 * random.normal();
  return { t1w, t2w, stir: { ...inverted, tiMs }, t2fs };
}

/** Another person's tissues about these, `width` times as far from them as a wide prior has it. */
function varyTissues(tissues: Anatomy['tissues'], width: number, random: Random): Map<string, Tissue> {
  const factor = (deviation: number) => Math.exp(Math.max(-2.2, Math.min(2.2, random.normal())) * deviation * width);
  const varied = new Map<string, Tissue>();
  for (const [name, tissue] of tissues) {
    const odds = tissue.fatFraction > 0.02 ? (tissue.fatFraction / (1 - tissue.fatFraction)) * factor(0.45) : 0;
    varied.set(name, {
      ...tissue,
      protonDensity: Math.min(1.05, tissue.protonDensity * factor(0.07)),
      t1Ms: tissue.t1Ms * factor(0.13),
      t2Ms: tissue.t2Ms * factor(0.18),
      fatFraction: odds > 0 ? odds / (1 + odds) : tissue.fatFraction,
    });
  }
  for (const [lesion, healthy] of Object.entries(mildForm)) {
    const [full, around] = [varied.get(lesion), varied.get(healthy)];
    if (full === undefined || around === undefined) continue;
    const share = 1 - Math.min(1, width) * 0.75 * random.uniform() ** 1.5;
    const mix = (key: keyof Tissue) => share * full[key] + (1 - share) * around[key];
    varied.set(lesion, {
      ...full, protonDensity: mix('protonDensity'), fatFraction: mix('fatFraction'), t1Ms: mix('t1Ms'), t2Ms: mix('t2Ms'), hounsfield: mix('hounsfield'),
    });
  }
  return varied;
}

/** Proton density, T1, T2 (ms), fat fraction. */
function numbersOf({ protonDensity, t1Ms, t2Ms, fatFraction }: Tissue): number[] {
  return [protonDensity, t1Ms, t2Ms, fatFraction];
}

/** How slices are laid, beyond their orientation. */
interface Laying {
  readonly pixelMm: readonly [number, number];
  /** Sagittal slices lie evenly within this distance of the midline; absent: most cross the bodies. */
  readonly lateralMm?: number;
  /** Axial slices lie in the patient's planes, in those of discs (within the sacrum left out), or in those of discs with a finding. */
  readonly planes: 'world' | 'disc' | 'lesion';
  /** Slices of a series. */
  readonly nStacked: number;
}

/** Standard deviation of an axial slice's distance from its disc. */
const shiftMm = { world: 12, disc: 5, lesion: 2 } as const;
/** Standard deviations of an axial slice's tilt against its disc, about the left-right and the front-back axis. */
const tiltDeg = [6, 2] as const;

/** Between the slices of a series, of their thickness. */
const gapShare = 0.1;

/** Right-angled axes of a disc, turned a little about its first two. */
function tilted({ x, y, z }: Frame, random: Random): [Vector3, Vector3, Vector3] {
  const turned = (a: Vector3, b: Vector3, angleDeg: number): [Vector3, Vector3] => {
    const [cos, sin] = [Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)];
    const mix = (first: number, second: number) => a.map((value, axis) => first * value + second * b[axis]!) as unknown as Vector3;
    return [mix(cos, sin), mix(-sin, cos)];
  };
  const [back, up] = turned(y, z, tiltDeg[0] * random.normal());
  const [left, head] = turned(x, up, tiltDeg[1] * random.normal());
  return [left, back, head];
}

/** Pixels of a slice through a place, with planes across its thickness. */
function drawSlice(patient: SimulatedPatient, random: Random, wanted: string, laying: Laying): { planes: Plane[]; orientation: string; pixelMm: number; thicknessMm: number; stepMm: Vector3 } {
  const ailing = new Set(patient.record.findings.map(({ level }) => level));
  const wantedDisc = { world: () => true, disc: (name: string) => !/-(S[2-9]|Co)/.test(name), lesion: (name: string) => ailing.has(name) }[laying.planes];
  const frames = [...patient.discs].filter(([name]) => wantedDisc(name)).map(([, itsFrame]) => itsFrame);
  const frame: Frame = frames[Math.floor(random.uniform() * frames.length)]!;
  const pixelMm = between(random, ...laying.pixelMm);
  const thicknessMm = between(random, 2.5, 4.5);
  const drawn = random.uniform() < 0.85 ? 'sagittal' : 'axial';
  const orientation = wanted === 'any' ? drawn : wanted;
  const along: readonly [Vector3, Vector3, Vector3] = orientation === 'sagittal'
    ? [[0, 1, 0], [0, 0, -1], [1, 0, 0]]
    : laying.planes === 'world' ? [[1, 0, 0], [0, 1, 0], [0, 0, 1]] : tilted(frame, random);
  // Most slices of a stack cross the bodies; some lie beside them.
  const off: Vector3 = orientation === 'sagittal'
    ? [laying.lateralMm === undefined ? 10 * random.normal() : between(random, -laying.lateralMm, laying.lateralMm), 20 + 12 * random.normal(), 15 * random.normal()]
    : [8 * random.normal(), 15 + 10 * random.normal(), shiftMm[laying.planes] * random.normal()];
  const spine = outOfFrame(frame, [0, 0, 0]);
  const centre = spine.map((value, axis) => value + off[axis]!) as unknown as Vector3;
  const nPlanes = 3;
  const planes = Array.from({ length: nPlanes }, (_, plane): Plane => {
    const shift = ((plane + 0.5) / nPlanes - 0.5) * thicknessMm;
    const half = (matrix / 2 - 0.5) * pixelMm;
    const originMm = centre.map((value, axis) => value - half * (along[0][axis]! + along[1][axis]!) + shift * along[2][axis]!) as unknown as Vector3;
    const step = (axis: 0 | 1) => along[axis].map((value) => value * pixelMm) as unknown as Vector3;
    return { originMm, columnStepMm: step(0), rowStepMm: step(1), nColumns: matrix, nRows: matrix };
  });
  const stepMm = along[2].map((value) => (1 + gapShare) * thicknessMm * value) as unknown as Vector3;
  return { planes, orientation, pixelMm, thicknessMm, stepMm };
}

/** Planes of the slices of a series about those of its middle, moved along `step` from one slice to the next. */
function stackAbout(planes: readonly Plane[], nSlices: number, step: Vector3): Plane[][] {
  return Array.from({ length: nSlices }, (_, slice) => planes.map((plane) => ({
    ...plane, originMm: plane.originMm.map((value, axis) => value + (slice - (nSlices - 1) / 2) * step[axis]!) as unknown as Vector3,
  })));
}

/** Water and fat of the acquired and the sum of the missing signals, then the moments that parameters are means of. */
function coefficientsOf(tissue: Tissue, fat: Fat, { t1w, t2w, stir, t2fs }: Sequences): number[] {
  const left = fatSaturation(fat, fatSaturationPulse);
  const [first, second] = [t1w, t2w].map((sequence) => waterAndFat(tissue, fat, (relaxation) => fastSpinEcho(relaxation, sequence)));
  const inverted = waterAndFat(tissue, fat, (relaxation) => inversionRecoveryFastSpinEcho(relaxation, stir, stir));
  const saturated = waterAndFat(tissue, fat, (relaxation, compartment) => fastSpinEcho(relaxation, t2fs, { residual: left[compartment], delayMs: 0 }));
  const water = tissue.protonDensity * (1 - tissue.fatFraction);
  return [
    first!.water, first!.fat, second!.water, second!.fat, inverted.water + inverted.fat, saturated.water + saturated.fat,
    tissue.protonDensity, tissue.protonDensity * tissue.fatFraction, water, water * tissue.t1Ms, water * tissue.t2Ms, tissue.hounsfield, 1,
  ];
}

function shifted(image: Float32Array, columns: number): Float32Array {
  const out = new Float32Array(image.length);
  const [whole, part] = [Math.floor(columns), columns - Math.floor(columns)];
  for (let row = 0; row < matrix; row++) {
    for (let column = 0; column < matrix; column++) {
      const from = Math.max(0, Math.min(matrix - 2, column - whole - 1));
      out[row * matrix + column] = (1 - part) * image[row * matrix + from + 1]! + part * image[row * matrix + from]!;
    }
  }
  return out;
}

/** One slice, or a stack of them. */
function paintSamples(patient: SimulatedPatient, fieldStrengthT: FieldStrengthT, width: number, wanted: string, laying: Laying, asShares: boolean, random: Random) {
  const { planes: middle, orientation, pixelMm, thicknessMm, stepMm } = drawSlice(patient, random, wanted, laying);
  const sequences = drawSequences(random, fieldStrengthT);
  const tissues = varyTissues(patient.anatomy.tissues, width, random);
  const fatShiftPixels = [0, 1].map(() => between(random, 0, 1.6));
  const about = { orientation, pixelMm, thicknessMm, sequences, priorWidth: width, fatShiftPixels };
  return stackAbout(middle, laying.nStacked, stepMm).map((planes) => (asShares
    ? { data: shareSample(patient, planes), about: { ...about, tissues: [...tissues.values()].map(numbersOf) } }
    : { data: imageSample(patient, planes, tissues, sequences, fatShiftPixels), about }));
}

function imageSample(patient: SimulatedPatient, planes: readonly Plane[], tissues: ReadonlyMap<string, Tissue>, sequences: Sequences, fatShiftPixels: readonly number[]): Int16Array {
  const painted = Array.from({ length: 13 }, () => new Float32Array(matrix * matrix));
  const coefficients = new Map([...tissues].map(([name, tissue]) => [name, coefficientsOf(tissue, patient.fat, sequences)]));
  for (const plane of planes) paintChannels(patient.anatomy, plane, coefficients, painted, 1 / planes.length);
  const { labels, lesions } = paintLabels(patient.anatomy, planes[1]!);
  const [w1, f1, w2, f2, stir, t2fs, pd, fat, water, t1, t2, hounsfield, covered] = painted as [
    Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array,
    Float32Array, Float32Array,
  ];
  const sum = (a: Float32Array, b: Float32Array) => a.map((value, pixel) => value + b[pixel]!);
  const ratio = (a: Float32Array, b: Float32Array) => a.map((value, pixel) => (b[pixel]! > 1e-3 ? value / b[pixel]! : 0));
  const images: Record<keyof typeof channels, ArrayLike<number>> = {
    t1w: sum(w1, shifted(f1, fatShiftPixels[0]!)),
    t2w: sum(w2, shifted(f2, fatShiftPixels[1]!)),
    stir, t2fs,
    protonDensity: pd, t1Ms: ratio(t1, water), t2Ms: ratio(t2, water), fatFraction: ratio(fat, pd),
    hounsfield: hounsfield.map((value, pixel) => value - 1000 * (1 - covered[pixel]!)),
    label: labels, lesion: lesions,
  };
  const data = new Int16Array(Object.keys(channels).length * matrix * matrix);
  Object.entries(channels).forEach(([name, scale], channel) => {
    const image = images[name as keyof typeof channels];
    for (let pixel = 0; pixel < matrix * matrix; pixel++) {
      data[channel * matrix * matrix + pixel] = Math.max(-32_768, Math.min(32_767, Math.round(image[pixel]! * scale)));
    }
  });
  return data;
}

/** So many tissues of a pixel are told; the largest takes what the least of more had. */
const nShares = 4;
const wholeShare = 255;

/** Four tissues of each pixel, their shares and marks, as the head of this file tells. */
function shareSample({ anatomy }: SimulatedPatient, planes: readonly Plane[]): Uint8Array {
  const nPixels = matrix * matrix;
  const names = [...anatomy.tissues.keys()];
  const taken = new Map<string, Float32Array>();
  for (const plane of planes) {
    paintShares(anatomy, plane, (tissue) => {
      const image = taken.get(tissue) ?? new Float32Array(nPixels);
      taken.set(tissue, image);
      return (pixel, share) => {
        image[pixel]! += share;
      };
    });
  }
  const data = new Uint8Array((2 * nShares + 1) * nPixels);
  const largest = new Float32Array(nShares * nPixels);
  const all = new Float32Array(nPixels);
  for (const [tissue, image] of taken) {
    for (let pixel = 0; pixel < nPixels; pixel++) {
      const share = image[pixel]!;
      if (share === 0) continue;
      all[pixel]! += share;
      let place = nShares * nPixels + pixel;
      for (; place >= nPixels && largest[place - nPixels]! < share; place -= nPixels) {
        if (place >= largest.length) continue;
        largest[place] = largest[place - nPixels]!;
        data[place] = data[place - nPixels]!;
      }
      if (place >= largest.length) continue;
      largest[place] = share;
      data[place] = names.indexOf(tissue);
    }
  }
  const { labels, lesions } = paintLabels(anatomy, planes[(planes.length - 1) / 2]!);
  for (let pixel = 0; pixel < nPixels; pixel++) {
    let left = Math.round((wholeShare * all[pixel]!) / planes.length);
    for (let k = nShares - 1; k >= 0; k--) {
      const share = k === 0 ? left : Math.min(left, Math.round((wholeShare * largest[k * nPixels + pixel]!) / planes.length));
      data[(nShares + k) * nPixels + pixel] = share;
      left -= share;
    }
    const inBody = labels[pixel]! >= 101 && labels[pixel]! < 132;
    data[2 * nShares * nPixels + pixel] = (inBody ? 1 : 0) + (lesions[pixel]! > 0 ? 2 : 0);
  }
  return data;
}

/** Some mixtures name what a cervical spine does not have: then the patient is drawn with `random`. */
function drawRecord(seed: number, pathology: string, region: 'lumbar' | 'cervical' | 'thoracolumbar', fieldStrengthT: FieldStrengthT, nLumbar?: 4 | 5 | 6): PatientRecord {
  const population = { seed, region, ...(nLumbar === undefined ? {} : { nLumbar }) };
  try {
    return drawPatient({ ...population, pathology }, fieldStrengthT);
  } catch {
    return drawPatient({ ...population, pathology: pathology === '' ? '' : 'random:grades=uniform' }, fieldStrengthT);
  }
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    first: { type: 'string', default: '1000' }, count: { type: 'string', default: '300' }, step: { type: 'string', default: '1' },
    prior: { type: 'string', default: 'mixed' }, lesions: { type: 'string', default: 'mixed' }, slices: { type: 'string', default: '7' },
    region: { type: 'string', default: 'any' }, orientation: { type: 'string', default: 'any' },
    pixel: { type: 'string', default: '0.65,1.1' }, lumbar: { type: 'string', default: 'drawn' }, lateral: { type: 'string' }, planes: { type: 'string', default: 'world' },
    stack: { type: 'string', default: '1' }, as: { type: 'string', default: 'images' },
  },
});
const laying: Laying = {
  pixelMm: options.pixel.split(',').map(Number) as [number, number],
  ...(options.lateral === undefined ? {} : { lateralMm: Number(options.lateral) }),
  planes: options.planes as Laying['planes'],
  nStacked: Number(options.stack),
};
const asShares = options.as === 'shares';
const out = positionals[0]!;
mkdirSync(out, { recursive: true });
for (let index = 0; index < Number(options.count); index += Number(options.step)) {
  const seed = Number(options.first) + index;
  const random = new Random(seed);
  const fieldStrengthT: FieldStrengthT = random.uniform() < 0.6 ? 1.5 : 3;
  const place = random.uniform();
  const region = options.region !== 'any' ? (options.region as 'lumbar') : place < 0.72 ? 'lumbar' : place < 0.87 ? 'cervical' : 'thoracolumbar';
  const drawn = lesionMixtures[Math.floor(random.uniform() * lesionMixtures.length)]!;
  const pathology = options.lesions === 'mixed' ? drawn : options.lesions === 'none' ? '' : options.lesions;
  const nLumbar = options.lumbar === 'varied' ? ([4, 5, 6] as const)[Math.floor(3 * random.uniform())]! : undefined;
  try {
    const patient = buildPatient(drawRecord(seed, pathology, region, fieldStrengthT, nLumbar), fieldStrengthT);
    const samples = Array.from({ length: Number(options.slices) }, () =>
      paintSamples(patient, fieldStrengthT, prior[options.prior as keyof typeof prior](random), options.orientation, laying, asShares, random)).flat();
    const { t1Ms, t2Ms } = patient.fat;
    const names = [...patient.anatomy.tissues.keys()];
    const made = asShares
      ? { tissues: [...patient.anatomy.tissues.values()].map(numbersOf), mildForms: Object.entries(mildForm).map((pair) => pair.map((name) => names.indexOf(name))) }
      : { channels };
    writeFileSync(join(out, `${seed}.bin`), Buffer.concat(samples.map(({ data }) => Buffer.from(data.buffer))));
    const findings = patient.record.findings.map(({ kind }) => kind);
    const about = { seed, fieldStrengthT, region, pathology, findings, fat: { t1Ms, t2Ms }, matrix, ...made, samples: samples.map(({ about: its }) => its) };
    writeFileSync(join(out, `${seed}.part`), JSON.stringify(about));
    renameSync(join(out, `${seed}.part`), join(out, `${seed}.json`));
  } catch (error) {
    process.stderr.write(`${seed}: ${(error as Error).message}\n`);
  }
}
