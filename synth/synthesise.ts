/**
 * The contrasts that were not scanned, from T1w and T2w:
 *
 * 1. refuse what is no such pair (plausibility.ts);
 * 2. bring both onto one grid, without the motion between them (grid.ts);
 * 3. take off the shading that they share, and divide by their means (shading.ts);
 * 4. parameter maps, with how sure they are, by the network (tensors.ts);
 * 5. each wanted contrast by its signal equation (contrasts.ts), STIR and T2 with fat saturation averaged with what the network makes of them straight
 *    from the images (meanImage.ts), with an interval a pixel (interval.ts);
 * 6. ask the network for each of both images from the other alone, and compare (trust.ts), and how T2w's echo time looks (echoTime.ts);
 * 7. say how far to trust it, and why not (verdict.ts), where regions are known by what is doubted near them (nearRegions.ts);
 * 8. where it is wanted, Hounsfield units of the same images and maps by a second network (ct.ts).
 */
import { noiseRatio, resample, voxelSizeMm, type ImageGeometry, type Volume } from '../imaging/index.js';
import { plainInterval, uncalibrated } from './calibration.js';
import { contrastEquation, SignalEquation, type Predicted } from './contrasts.js';
import { commonGrid } from './grid.js';
import { measurementPlanes, refusalOfCt, syntheticCt } from './ct.js';
import { echoTimeError } from './echoTime.js';
import { inTurn, type Question } from './inTurn.js';
import { intervalOf } from './interval.js';
import { averageWith, imageTarget, type ImageTarget } from './meanImage.js';
import { doubtNear } from './nearRegions.js';
import { Places, type NamedRegions } from './places.js';
import { checkImages, checkInput } from './plausibility.js';
import { estimateShading, withoutShading, withShading } from './shading.js';
import { doubled, examVector, halved, predictMaps, type ExamNumbers, type NetworkImages, type PredictedMaps } from './tensors.js';
import { gateScore, pairEvidence, tissueOfPair, type GateFeatures, type PairEvidence, type PairPredictions } from './trust.js';
import type {
  AcquiredSeries, Regions, RegistrationReport, RunModel, SynthesisedSeries, SynthesisInput, SynthesisOptions, SynthesisReason, SynthesisResult, WantedContrast,
} from './types.js';
import { judgeEchoTime, judgeExam, judgeIntervals, judgePair, worstFirst, worstOf } from './verdict.js';

/** Of the means: less than this in both images, over 3 x 3 pixels, is air. */
const airBelow = 0.08;
/** Means of 3 x 3 magnitudes of noise alone are 1.25 of its deviation, give or take 0.2. */
const leastSnr = 2.5;
/** Standard deviation of magnitudes where there is no signal, over that of the noise: Rayleigh's, sqrt(2 - pi / 2). */
const rayleighSpread = 0.655;

/**
 * @param run the network `models/synthesis-maps`
 * @throws CodedError SYNTH_ERR_* where the series are no pair, or what is wanted cannot be; errors of the model host
 */
export async function synthesise(
  input: SynthesisInput,
  wanted: readonly WantedContrast[],
  run: RunModel,
  { calibration = uncalibrated, findRegions, deliverRed = false, runCt, slicesPerRun = 1 }: SynthesisOptions = {},
): Promise<SynthesisResult> {
  const fromHeaders = checkInput(input);
  const equations = wanted.map((contrast) => ({ contrast: contrast.contrast, ...contrastEquation(contrast, input.fieldStrengthT) }));
  const target = imageTarget(wanted, equations, input.fieldStrengthT);
  const exam = prepareExam(input);
  const { geometry, images, numbers } = exam;
  const ctRefusal = runCt && refusalOfCt(geometry);

  const nVoxels = images.slices * images.rows * images.columns;
  const room = () => new Float32Array(nVoxels);
  const made = equations.map((equation, index) => ({ ...equation, channel: target.channels[index], data: room(), low: room(), high: room() }));
  const fatFraction = room();
  const otherMaps = runCt && ctRefusal === undefined ? { protonDensity: room(), lnT1Ms: room(), lnT2Ms: room() } : undefined;
  const ofRun = predictedRoom(slicesPerRun * images.rows * images.columns);
  // Only of sagittal series it is known what sound ones tell.
  const echoTime = measurementPlanes(geometry).acquired === 'sagittal' ? calibration.echoTime : undefined;
  const asked = askNetwork(exam, target.numbers, run, slicesPerRun, (first, told) => {
    const from = first * images.rows * images.columns;
    const part = (volume: Float32Array) => volume.subarray(from, from + told.protonDensity.length);
    part(fatFraction).set(told.fatFraction);
    if (otherMaps) for (const name of ['protonDensity', 'lnT1Ms', 'lnT2Ms'] as const) part(otherMaps[name]).set(told[name]);
    for (const { contrast, equation, isMagnitude, channel, data, low, high } of made) {
      const predicted = equation.predict(told, told.spread, tissue.subarray(from, from + told.protonDensity.length), ofRun(told.protonDensity.length));
      if (channel !== undefined) averageWith(predicted, told.contrasts[channel]);
      const { signal, deviation } = predicted;
      const factor = (channel === undefined ? undefined : calibration.combined?.[contrast]) ?? calibration.interval[contrast] ?? plainInterval;
      intervalOf(signal, deviation, isMagnitude, factor, told, { low: part(low), high: part(high) });
      const its = part(data);
      for (let voxel = 0; voxel < its.length; voxel++) its[voxel] = isMagnitude ? Math.abs(signal[voxel]!) : signal[voxel]!;
    }
  });
  // While the network has its first slices already.
  const tissue = tissueOf(images, exam.field);
  const evidence = await asked;
  const echoTimeFound = echoTime && echoTimeError(evidence.lnStatedOverTrue, input.t2w.sequence.teMs, echoTime);
  const volumeOf = (data: Float32Array): Volume<Float32Array> => ({ geometry, data });
  const series = made.map(({ contrast, channel, data, low, high, tiMs, fatNullTiMs }): SynthesisedSeries => ({
    contrast, madeBy: channel === undefined ? 'equation' : 'mean', volume: volumeOf(data), low, high, ...(tiMs !== undefined && { tiMs }), ...(fatNullTiMs !== undefined && { fatNullTiMs }),
  }));
  const half = { rows: images.rows >> 1, columns: images.columns >> 1 };
  for (let pixel = 0; pixel < evidence.z.length; pixel++) {
    const row = 2 * (Math.floor(pixel / half.columns) % half.rows);
    const voxel = (Math.floor(pixel / (half.rows * half.columns)) * images.rows + row) * images.columns + 2 * (pixel % half.columns);
    if (tissue[voxel] === 0) evidence.z[pixel] = evidence.isDoubted[pixel] = 0;
  }
  // CT is told of the air as the network saw it; nobody else is.
  const maps = otherMaps && { ...otherMaps, fatFraction: fatFraction.slice() };
  for (let voxel = 0; voxel < nVoxels; voxel++) if (tissue[voxel] === 0) fatFraction[voxel] = 0;
  const judgedPair = (of: PairEvidence, regions?: NamedRegions) => judgePair(of, half, new Places(geometry, regions), calibration.gate);
  // Contrasts of one set of maps cannot be told in the same places: the first one speaks for all.
  const judgedIntervals = (regions?: NamedRegions) => series.slice(0, 1).flatMap((one) => judgeIntervals(one, fatFraction, new Places(geometry, regions), calibration.cannotTell));
  const byPosition = { pair: judgedPair(evidence), intervals: judgedIntervals() };
  const regions = byPosition.pair.length + byPosition.intervals.length > 0 ? await findRegions?.() : undefined;
  const named = regions && regions.names.size > 0 ? namedRegions(regions, geometry) : undefined;
  const judgedEvidence = named ? doubtNear(evidence, named, { ...images, pixelMm: numbers.pixelMm }) : evidence;
  const intervalsByName = named && judgedIntervals(named);
  const reasons: SynthesisReason[] = worstFirst([
    ...(named ? judgedPair(judgedEvidence, named) : byPosition.pair),
    // Names alone make nothing better.
    ...(intervalsByName !== undefined && worstOf(intervalsByName) === worstOf(byPosition.intervals) ? intervalsByName : byPosition.intervals),
    ...(echoTime && echoTimeFound ? judgeEchoTime(echoTimeFound, input.t2w.sequence.teMs, echoTime) : []),
    ...fromHeaders,
    ...judgeExam(series, numbers.t2wOverT1w !== undefined, { residualMm: exam.registration.residualMm, pixelMm: numbers.pixelMm }),
  ]);
  const light = worstOf(reasons);
  const isGiven = light !== 'red' || deliverRed;
  if (!isGiven) reasons.push({ code: 'SYNTH_WARN_NOT_DELIVERED', light, message: 'the synthetic series are not delivered: the pair is not to be trusted' });
  const ct = isGiven && runCt && maps ? await syntheticCt(geometry, images, maps, runCt, slicesPerRun) : undefined;
  if (ct) reasons.push(...ct.reasons);
  return {
    series: isGiven ? series : [],
    ...(ct && { ct }), ...(ctRefusal && { ctRefusal }),
    fatFraction: volumeOf(fatFraction),
    pairResidual: volumeOf(doubled(evidence.z, images.slices, images.rows, images.columns)),
    light, reasons, registration: exam.registration, ...(echoTimeFound && { echoTime: echoTimeFound }),
    gate: judgedEvidence.slices.map((features) => ({ features, score: gateScore(features, calibration.gate) })),
  };
}

/** Room for the signals of one run after the other, for the first `n` voxels each time. */
function predictedRoom(most: number): (n: number) => Predicted {
  const [signal, deviation] = [new Float32Array(most), new Float32Array(most)];
  return (n) => ({ signal: signal.subarray(0, n), deviation: deviation.subarray(0, n) });
}

interface PreparedExam {
  readonly geometry: ImageGeometry;
  readonly registration: RegistrationReport;
  readonly images: NetworkImages;
  readonly numbers: ExamNumbers;
  readonly field: Float32Array;
  /** As the images: without shading, over their means. */
  readonly t1wNoise: Float32Array | undefined;
  readonly t2wNoise: Float32Array | undefined;
}

/** Registration, shading, means: what the network reads. */
function prepareExam(input: SynthesisInput): PreparedExam {
  const others = [input.fatFraction, input.fatSuppressed?.volume];
  const grid = commonGrid(input.t1w.volume, input.t2w.volume, others.filter((volume) => volume !== undefined));
  const [columnMm, rowMm] = voxelSizeMm(grid.t2w.geometry);
  const [columns, rows, slices] = grid.t2w.geometry.matrixSize;
  const pixelMm = Math.sqrt(columnMm * rowMm);
  const shading = estimateShading(grid.t1w.data, grid.t2w.data, rows, columns, pixelMm);
  const overMean = (image: Float32Array, mean: number) => withoutShading(image, shading.field, mean);
  const t1w = overMean(grid.t1w.data, shading.means[0]);
  const t2w = overMean(grid.t2w.data, shading.means[1]);
  checkImages(t1w, t2w, shading.foregroundShare);
  const fatFraction = input.fatFraction && grid.others[0];
  const fatSuppressed = input.fatSuppressed && grid.others.at(-1);
  const thirdMean = fatSuppressed && shading.meanOf(fatSuppressed.data);
  const scaled = ({ relativeScale }: AcquiredSeries, mean: number) => relativeScale && relativeScale * mean;
  const [scaled1, scaled2] = [scaled(input.t1w, shading.means[0]), scaled(input.t2w, shading.means[1])];
  const scaled3 = input.fatSuppressed && scaled(input.fatSuppressed, thirdMean!);
  // Noise varies as slowly as coils do: the motion of a few millimetres does not matter to it.
  const noiseOf = ({ noise, volume: { geometry } }: AcquiredSeries, mean: number) =>
    noise && overMean(resample({ geometry, data: noise }, grid.t2w.geometry, 'linear').data, mean);
  return {
    geometry: grid.t2w.geometry, registration: grid.report, field: shading.field, t1wNoise: noiseOf(input.t1w, shading.means[0]), t2wNoise: noiseOf(input.t2w, shading.means[1]),
    images: {
      slices, rows, columns, t1w, t2w,
      fatFraction: fatFraction?.data,
      fatSuppressed: fatSuppressed && overMean(fatSuppressed.data, thirdMean!),
    },
    numbers: {
      t1w: input.t1w.sequence, t2w: input.t2w.sequence, fieldStrengthT: input.fieldStrengthT,
      pixelMm,
      ...(scaled1 && scaled2 && { t2wOverT1w: scaled2 / scaled1 }),
      hasFatFraction: fatFraction !== undefined,
      ...(input.fatSuppressed && { fatSuppressed: input.fatSuppressed.sequence }),
      ...(scaled2 && scaled3 && { fatSuppressedOverT2w: scaled3 / scaled2 }),
    },
  };
}

/**
 * Asks for the maps from both images, and for each of both images from the other one alone on pixels averaged over 2 x 2, of which the
 * network is given four times as many slices at once. Some slices after the others, so that what they are for can be computed
 * while the network is at the next ones.
 * @param target what the image network is asked for (meanImage.ts)
 * @param take what becomes of the maps of the slices from `first` on
 */
async function askNetwork(
  { images, numbers, registration, t1wNoise, t2wNoise }: PreparedExam, target: ImageTarget['numbers'], run: RunModel, slicesPerRun: number,
  take: (first: number, maps: PredictedMaps) => void,
): Promise<PairEvidence> {
  const { slices, rows, columns } = images;
  const half = (image: Float32Array) => halved(image, image.length / (rows * columns), rows, columns);
  const averagedNoise = (noise: Float32Array | undefined) => noise && half(noise).map((value) => value / 2);
  const halves = { slices, rows: rows >> 1, columns: columns >> 1, t1w: half(images.t1w!), t2w: half(images.t2w!), fatFraction: undefined, fatSuppressed: undefined };
  const noise = { t1w: averagedNoise(t1wNoise), t2w: averagedNoise(t2wNoise) };
  const { t1w: t1wSequence, t2w: t2wSequence, fieldStrengthT } = numbers;
  const [t1w, t2w] = [new SignalEquation(t1wSequence, fieldStrengthT), new SignalEquation(t2wSequence, fieldStrengthT)];
  const coarse: ExamNumbers = { t1w: t1wSequence, t2w: t2wSequence, fieldStrengthT, hasFatFraction: false, pixelMm: 2 * numbers.pixelMm };
  const exams = {
    both: examVector(numbers, { t1w: true, t2w: true }),
    t1w: examVector(coarse, { t1w: true, t2w: false }),
    t2w: examVector(coarse, { t1w: false, t2w: true }),
  };
  const nHalf = halves.rows * halves.columns;
  // Signals are predicted where they are compared.
  const compared = tissueOfPair(halves);
  const ofRun = predictedRoom(slicesPerRun * rows * columns);
  const comparedOf = (first: number, n: number) => compared.subarray(first * nHalf, (first + n) * nHalf);
  const z = new Float32Array(slices * nHalf);
  const isDoubted = new Uint8Array(z.length);
  const doubt = new Float32Array(z.length);
  const features: GateFeatures[] = [];
  const lnStatedOverTrue: number[] = [];
  const questions: Question<PredictedMaps>[] = [];
  for (let first = 0; first < slices; first += 4 * slicesPerRun) {
    const end = Math.min(slices, first + 4 * slicesPerRun);
    let told: Pick<PairPredictions, 't2w' | 't1wItself'>;
    let t1wTold: Predicted;
    questions.push({
      ask: () => predictMaps({ ...halves, t2w: undefined }, exams.t1w, target, run, first, end - first),
      take: (maps) => {
        told = { t2w: t2w.predict(maps, maps.spread, comparedOf(first, end - first)), t1wItself: t1w.signal(maps) };
      },
    }, {
      ask: () => predictMaps({ ...halves, t1w: undefined }, exams.t2w, target, run, first, end - first),
      take: (maps) => { t1wTold = t1w.predict(maps, maps.spread, comparedOf(first, end - first)); },
    });
    for (let slice = first; slice < end; slice += slicesPerRun) {
      const n = Math.min(slicesPerRun, end - slice);
      questions.push({
        ask: () => predictMaps(images, exams.both, target, run, slice, n),
        take: (maps) => {
          take(slice, maps);
          const where = doubled(comparedOf(slice, n), n, rows, columns);
          const fit = (equation: SignalEquation): Predicted => {
            const { signal, deviation } = equation.predict(maps, maps.spread, where, ofRun(n * rows * columns));
            return { signal: half(signal), deviation: half(deviation) };
          };
          const own = (image: Float32Array) => image.subarray(slice * nHalf, (slice + n) * nHalf);
          const ofGroup = (image: Float32Array) => image.subarray((slice - first) * nHalf, (slice - first + n) * nHalf);
          const bothOfGroup = ({ signal, deviation }: Predicted): Predicted => ({ signal: ofGroup(signal), deviation: ofGroup(deviation) });
          const found = pairEvidence(
            {
              slices: n, rows: halves.rows, columns: halves.columns, t1w: own(halves.t1w), t2w: own(halves.t2w),
              ...(noise.t1w && { t1wNoise: own(noise.t1w) }), ...(noise.t2w && { t2wNoise: own(noise.t2w) }),
            },
            {
              t1w: bothOfGroup(t1wTold), t2w: bothOfGroup(told.t2w), t1wFit: fit(t1w), t2wFit: fit(t2w),
              t1wItself: ofGroup(told.t1wItself), doubt: maps.doubt[0], lnStatedOverTrue: maps.doubt[1],
            },
            { t2wOverT1w: numbers.t2wOverT1w, misregistrationPixels: registration.residualMm / numbers.pixelMm },
          );
          z.set(found.z, slice * nHalf);
          isDoubted.set(found.isDoubted, slice * nHalf);
          doubt.set(found.doubt, slice * nHalf);
          features.push(...found.slices);
          lnStatedOverTrue.push(...found.lnStatedOverTrue);
        },
      });
    }
  }
  await inTurn(questions);
  return { slices: features, z, isDoubted, doubt, lnStatedOverTrue };
}

/**
 * 1 where either image shows more than air does, over 3 x 3 pixels: part of the mean without shading, and more than noise with
 * it, for a field that falls off in the air makes noise there as bright as tissue.
 */
function tissueOf({ slices, rows, columns, t1w, t2w }: NetworkImages, field: Float32Array): Uint8Array {
  const tissue = new Uint8Array(slices * rows * columns);
  for (const image of [t1w!, t2w!]) {
    const shaded = withShading(image, field);
    const noise = airNoise(shaded, slices, rows, columns);
    for (let slice = 0; slice < slices; slice++) {
      for (let row = 0; row < rows; row++) {
        const [top, bottom] = [Math.max(0, row - 1), Math.min(rows - 1, row + 1)];
        for (let column = 0; column < columns; column++) {
          const place = row * columns + column;
          const left = Math.max(0, column - 1);
          const right = Math.min(columns - 1, column + 1);
          let sum = 0;
          for (let y = top; y <= bottom; y++) {
            const line = (slice * rows + y) * columns;
            for (let x = left; x <= right; x++) sum += shaded[line + x]!;
          }
          const mean = sum / ((bottom - top + 1) * (right - left + 1));
          if (mean > airBelow * field[place]! && mean > leastSnr * noise) tissue[slice * rows * columns + place] = 1;
        }
      }
    }
  }
  return tissue;
}

/** Of magnitudes where there is no signal, in the middle slice; 0 where the air is masked and nothing tells. */
function airNoise(image: Float32Array, slices: number, rows: number, columns: number): number {
  const middle = image.subarray((slices >> 1) * rows * columns, ((slices >> 1) + 1) * rows * columns);
  const level = noiseRatio(middle, new Float32Array(rows * columns).fill(1), rows, columns, 1);
  return Number.isFinite(level) ? level / rayleighSpread : 0;
}

function namedRegions({ volume, names }: Regions, geometry: ImageGeometry): NamedRegions {
  return { codes: resample(volume, geometry, 'nearest').data, names };
}
