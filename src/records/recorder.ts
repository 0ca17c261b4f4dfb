/** Looks on while a session reconstructs, and puts the record of it together. One clock: ms since the first readout. */
import type { AcquisitionHeader, MrdHeader } from 'ismrmrd';
import { defaultRelativeReceiverNoiseBandwidth, planCartesian } from '../../recon/index.js';
import type { Decision, NoiseRecord, NoiseStatistics, ReconImage, ReconNotice, ReconSummary } from '../../recon/index.js';
import type { Choice } from '../chain/index.js';
import { isLine, readoutFacts, sampledImage, samplingGridOf } from '../raw/index.js';
import type { LineUse, ReadoutFacts } from '../raw/index.js';
import { presentable } from '../session/index.js';
import type { SessionObserver } from '../session/index.js';
import type { ReconstructionRecord } from './schema.js';

/** A record stays small, whatever was scanned: what is beyond is left out. */
const most = { remarks: 64, slices: 1024, images: 8192, places: 1 << 18, order: 4096 } as const;

type Timeline = ReconstructionRecord['timeline'];
type Images = { kind: string; atMs: number }[];
interface SliceTimes {
  firstLineMs?: number;
  lastLineMs?: number;
  readonly images: Images;
}

/**
 * @param keep is given the record when the images are complete, and again when the session is over
 * @param clock ms since 1970
 */
export function reconstructionRecorder(keep: (record: ReconstructionRecord) => void, clock: () => number = Date.now): SessionObserver {
  const begunAt = { wall: 0, steady: 0 };
  const sinceFirst = () => Math.round((performance.now() - begunAt.steady) * 10) / 10;
  let chosen: { readonly choice: Choice; readonly header: MrdHeader; readonly planning: readonly Decision[]; readonly storedNoise: NoiseRecord | undefined } | undefined;
  let nReadouts = 0;
  let [dwellTimeUs, noiseDwellTimeUs] = [0, 0];
  let lastReadoutMs = 0;
  let lastImageMs: number | undefined;
  let inputEndedMs: number | undefined;
  const slices = new Map<number, SliceTimes>();
  let nImages = 0;
  /** The image whose sampling is told, and readouts that may belong to it. */
  let first: ReadoutFacts | undefined;
  const readouts: ReadoutFacts[] = [];
  let result: ReconstructionRecord['result'];
  let denoising: ReconstructionRecord['denoising'];
  const remarks: ReconstructionRecord['remarks'] = [];
  let summary: ReconSummary | undefined;

  const timesOf = (slice: number): SliceTimes | undefined => {
    const times = slices.get(slice);
    if (times !== undefined || slices.size >= most.slices) return times;
    const made: SliceTimes = { images: [] };
    slices.set(slice, made);
    return made;
  };
  const lineCame = (facts: ReadoutFacts, atMs: number) => {
    if (facts.use !== 'calibration') first ??= facts;
    if (first === undefined || facts.image === first.image || (facts.use === 'calibration' && facts.slice === first.slice)) readouts.push(facts);
    const times = timesOf(facts.slice);
    if (times === undefined) return;
    times.firstLineMs ??= atMs;
    times.lastLineMs = atMs;
  };
  const record = (outcome: ReconstructionRecord['outcome'], reason?: string): ReconstructionRecord | undefined => {
    // A session that asked only, or that was refused before its first readout, scanned nothing.
    if (chosen === undefined || nReadouts === 0) return undefined;
    const { choice, header, planning, storedNoise } = chosen;
    const noise = summary?.noise;
    return {
      startedAt: begunAt.wall,
      chain: choice.chain.name,
      outcome,
      ...(reason !== undefined && { reason: { code: reason } }),
      nReadouts,
      decisions: [...choice.decisions.map(decided('parameter')), ...planning.map(decided('header'))],
      ...(result !== undefined && { result }),
      ...(noise !== undefined && { noise: noiseOf(noise, header, { dwellTimeUs, noiseDwellTimeUs }, storedNoise) }),
      ...samplingOf(readouts, header),
      timeline: {
        scan: [0, lastReadoutMs],
        ...(inputEndedMs !== undefined && { inputEndedMs }),
        slices: [...slices].sort(([a], [b]) => a - b).map(([slice, times]) => ({ slice, ...times })),
        stages: { ...summary?.stageMs },
        ...(lastImageMs !== undefined && { lastReadoutToLastImageMs: Math.max(0, lastImageMs - lastReadoutMs) }),
      } satisfies Timeline,
      ...(denoising !== undefined && { denoising }),
      remarks,
    };
  };
  const put = (outcome: ReconstructionRecord['outcome'], reason?: string) => {
    const made = record(outcome, reason);
    if (made !== undefined) keep(made);
  };

  return {
    chosen(choice, header, storedNoise) {
      noiseDwellTimeUs = storedNoise?.dwellTimeUs ?? 0;
      chosen = { choice, header, planning: planningOf(header, choice), storedNoise };
    },
    readout(header: AcquisitionHeader) {
      if (nReadouts++ === 0) [begunAt.wall, begunAt.steady] = [clock(), performance.now()];
      lastReadoutMs = sinceFirst();
      const facts = readoutFacts(header);
      if (facts.use === 'noise') noiseDwellTimeUs = header.sampleTimeUs;
      if (!isLine(facts) || facts.encodingSpaceRef !== 0) return;
      if (dwellTimeUs === 0) dwellTimeUs = header.sampleTimeUs;
      lineCame(facts, lastReadoutMs);
    },
    inputEnded() {
      inputEndedMs = sinceFirst();
    },
    imageMade(image: ReconImage) {
      lastImageMs = sinceFirst();
      if (nImages++ < most.images) timesOf(image.counters.slice)?.images.push({ kind: image.kind, atMs: lastImageMs });
      if (image.kind === 'image') result ??= resultOf(image);
      if (image.kind === 'denoised') denoising = withDenoised(denoising, image);
    },
    remarked({ severity, code, message }: ReconNotice) {
      if (remarks.length < most.remarks) remarks.push({ severity, code, text: message });
    },
    reconstructed(made) {
      summary = made;
    },
    completed: () => put('running'),
    closed: ({ outcome, error }) => put(outcome, error === undefined ? undefined : presentable(error).code),
  };
}

const decided = (kind: 'parameter' | 'header') => ({ what, value, because, source, origin }: Decision): ReconstructionRecord['decisions'][number] =>
  ({ kind, what, value, because, source, ...(origin !== undefined && { origin }) });

/** A header that cannot be planned ends the session, which says why. */
function planningOf(header: MrdHeader, { parameters }: Choice): readonly Decision[] {
  try {
    return planCartesian(header, parameters).decisions;
  } catch {
    return [];
  }
}

const told = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(4)) : null);

function noiseOf(
  { nSamples, enoughSamples, coils, correlation, largestCorrelation }: NoiseStatistics, { acquisitionSystemInformation: system }: MrdHeader,
  dwell: { readonly dwellTimeUs: number; readonly noiseDwellTimeUs: number }, storedNoise: NoiseRecord | undefined,
): NonNullable<ReconstructionRecord['noise']> {
  const n = coils.length;
  const ofHeader = system?.relativeReceiverNoiseBandwidth;
  return {
    nSamples, enoughSamples,
    ...(storedNoise !== undefined && { storedMeasurement: storedNoise.measurementId }),
    coils: coils.map(({ name, standardDeviation, fault }) => ({ name, std: told(standardDeviation), isBroken: fault !== undefined, ...(fault !== undefined && { fault }) })),
    correlation: coils.map((_, row) => Array.from(correlation.subarray(row * n, (row + 1) * n), told)),
    largestCorrelation: told(largestCorrelation),
    bandwidth: {
      relativeReceiverNoiseBandwidth: ofHeader ?? defaultRelativeReceiverNoiseBandwidth,
      isOfHeader: ofHeader !== undefined,
      ...(dwell.noiseDwellTimeUs > 0 && { noiseDwellTimeUs: dwell.noiseDwellTimeUs }),
      ...(dwell.dwellTimeUs > 0 && { dwellTimeUs: dwell.dwellTimeUs }),
    },
  };
}

const characters: Readonly<Record<LineUse, string>> = { imaging: 'i', calibration: 'c', calibrationAndImaging: 'b' };

function samplingOf(readouts: readonly ReadoutFacts[], header: MrdHeader): Pick<ReconstructionRecord, 'sampling'> {
  const image = sampledImage(readouts);
  const grid = samplingGridOf(header);
  if (image === undefined || grid === undefined) return {};
  const { firstLine, lastLine, centreLine, nPartitions } = grid;
  const nLines = lastLine - firstLine + 1;
  const within = image.lines.filter(({ line, partition }) => line >= firstLine && line <= lastLine && partition >= 0 && partition < nPartitions);
  const nOf = (use: LineUse) => within.filter((line) => line.use === use).length;
  const rows = nLines * nPartitions > most.places ? [] : Array.from({ length: nPartitions }, () => new Array<string>(nLines).fill('.'));
  if (rows.length > 0) for (const { line, partition, use } of within) rows[partition]![line - firstLine] = characters[use];
  return {
    sampling: {
      slice: image.slice, nLines, nPartitions, firstLine, centreLine,
      nAverages: new Set(image.readouts.map(({ average }) => average)).size,
      nReadouts: image.readouts.length,
      nMeasured: {
        imaging: nOf('imaging'), calibrationAndImaging: nOf('calibrationAndImaging'), calibration: nOf('calibration'), missing: nLines * nPartitions - within.length,
      },
      pattern: rows.map((row) => row.join('')),
      order: image.readouts.slice(0, most.order).map(({ line }) => line),
    },
  };
}

function resultOf(image: ReconImage): NonNullable<ReconstructionRecord['result']> {
  const { method, partialFourier, accelerationPhase, accelerationSlice, nCoils, nVirtualCoils, nCalibrationLines, nMissingLines, rows, columns, snrUnits } = image;
  return {
    method, partialFourier, accelerationPhase, accelerationSlice, nCoils, nVirtualCoils, nCalibrationLines, nMissingLines, rows, columns, snrUnits,
    postProcessing: [...image.postProcessing],
    fovMm: [...image.fovMm],
    hasGeometry: image.geometry !== undefined,
  };
}

/** Noise and network are one for a scan. */
function withDenoised(known: ReconstructionRecord['denoising'], { denoising, counters: { slice } }: ReconImage): ReconstructionRecord['denoising'] {
  if (denoising === undefined) return known;
  const { strengthPercent, noiseSource, dataConsistency, modelId: id, modelVersion: version, modelSha256: sha256, light } = denoising;
  const isLess = known !== undefined && strengthPercent < known.strengthPercent;
  const image = { slice, light, ...(isLess && { strengthPercent }), residualStd: told(denoising.residualStd), edgeCorrelation: told(denoising.edgeCorrelation), largestStructure: told(denoising.largestStructure) };
  const images = known?.images ?? [];
  return known === undefined
    ? { strengthPercent, noiseSource, dataConsistency, model: { id, version, sha256 }, images: [image] }
    : { ...known, images: images.length < most.slices ? [...images, image] : images };
}
