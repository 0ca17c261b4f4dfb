import { encodeClose, encodeConfigFile, encodeHeader, parseHeader } from 'ismrmrd';
import { beforeEach, describe, expect, it } from 'vitest';
import { noiseStatistics } from '../../../recon/index.js';
import type { DenoisingRecord } from '../../../recon/index.js';
import { ChainChoice, parameterFacts } from '../../../src/chain/index.js';
import { reconstructionRecorder, recordSchema } from '../../../src/records/index.js';
import type { ReconstructionRecord } from '../../../src/records/index.js';
import type { SessionObserver, SessionSummary } from '../../../src/session/index.js';
import { reconImage } from '../exams/kept.js';
import { play } from '../fakes.js';
import { acquisitionHeader, concat, headerXml, lines, scan } from '../streams.js';

const withPatient = headerXml().replace(
  '<acquisitionSystemInformation>',
  '<subjectInformation><patientName>Doe^Jane</patientName><patientID>4711</patientID></subjectInformation><acquisitionSystemInformation>',
);
const summary = { nReadouts: 1, nImages: 1, stageMs: { grappa: 12 }, peakMemoryBytes: 0, noise: undefined };
const closed = { outcome: 'completed', error: undefined } as SessionSummary;

describe('the record of a scan', () => {
  let records: ReconstructionRecord[];
  let observer: SessionObserver;
  const chosen = (xml = headerXml(), options: ConstructorParameters<typeof ChainChoice>[0] = {}) =>
    observer.chosen?.(new ChainChoice(options).choose(), parseHeader(xml), undefined);
  const last = () => recordSchema.strict().parse(JSON.parse(JSON.stringify(records.at(-1))));

  beforeEach(() => {
    records = [];
    observer = reconstructionRecorder((record) => records.push(record), () => 1000);
  });

  it('is whole when the images are, and again when the session is over, and names nobody', async () => {
    const stream = concat([...encodeConfigFile('grappa'), ...encodeHeader(withPatient), ...lines(), ...encodeClose()]);
    await play([stream], {}, { observer });
    expect(records.map(({ outcome }) => outcome)).toEqual(['running', 'completed']);
    const record = last();
    expect(record).toMatchObject({ startedAt: 1000, chain: 'grappa', nReadouts: 16, timeline: { stages: { fake: 1 } } });
    expect(record.timeline.slices).toMatchObject([{ slice: 0, firstLineMs: 0, images: [{ kind: 'image' }] }]);
    expect(JSON.stringify(record)).not.toMatch(/Doe|4711/);
  });

  it('has every parameter with its origin, and how the header was read', async () => {
    await play([scan()], {}, { observer, overrides: { kernelReadout: '7' } });
    const { decisions } = last();
    const parameters = decisions.filter(({ kind }) => kind === 'parameter');
    expect(parameters.map(({ what }) => what)).toEqual(['chain', ...parameterFacts().map(({ name }) => name)]);
    expect(parameters.find(({ what }) => what === 'kernelReadout')).toMatchObject({ value: '7', origin: 'operator', source: '--set kernelReadout' });
    expect(decisions.some(({ kind, source }) => kind === 'header' && source.startsWith('encoding[0]'))).toBe(true);
  });

  it('tells what was sampled of the first image, and of its slice what calibrates only', () => {
    chosen();
    observer.readout?.(acquisitionHeader(3, {}, 'noiseMeasurement'));
    for (const line of [0, 4, 8, 12]) {
      observer.readout?.(acquisitionHeader(line, {}, ...(line === 8 ? (['parallelCalibrationAndImaging'] as const) : [])));
      const other = acquisitionHeader(line + 1);
      observer.readout?.({ ...other, idx: { ...other.idx, slice: 1 } });
    }
    for (const line of [7, 8, 9]) observer.readout?.(acquisitionHeader(line, {}, 'parallelCalibration'));
    observer.closed?.(closed);
    expect(last().sampling).toEqual({
      slice: 0, nLines: 16, nPartitions: 1, firstLine: 0, centreLine: 8, nAverages: 1, nReadouts: 7,
      nMeasured: { imaging: 3, calibrationAndImaging: 1, calibration: 2, missing: 10 },
      pattern: ['i...i..cbc..i...'],
      order: [0, 4, 8, 12, 7, 8, 9],
    });
  });

  it('has the noise by coil names; what is no number is null', () => {
    chosen();
    observer.readout?.(acquisitionHeader(0));
    const noise = noiseStatistics({ nCoils: 3, nSamples: 20_000, matrix: Float64Array.of(2, 0, 0.6, 0, 0, 0, 0.6, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0) }, ['SP1', 'SP2', 'BO1']);
    observer.reconstructed?.({ ...summary, noise });
    observer.closed?.(closed);
    expect(last().noise).toMatchObject({
      nSamples: 20_000, enoughSamples: true,
      coils: [{ name: 'SP1', std: 1, isBroken: false }, { name: 'SP2', std: 2, isBroken: false }, { name: 'BO1', std: 0, isBroken: true, fault: 'no noise at all' }],
      correlation: [[1, 0.15, null], [0.15, 1, null], [null, null, null]],
      bandwidth: { relativeReceiverNoiseBandwidth: 0.793, isOfHeader: false, dwellTimeUs: 5 },
    });
  });

  it('orders time: lines of a slice before its images, the last image after the last readout', () => {
    chosen();
    for (const slice of [1, 0]) {
      for (const line of [0, 1]) {
        const header = acquisitionHeader(line);
        observer.readout?.({ ...header, idx: { ...header.idx, slice } });
      }
      observer.imageMade?.(reconImage(slice));
    }
    observer.inputEnded?.();
    observer.closed?.(closed);
    const { scan: [begin, end], slices, lastReadoutToLastImageMs, inputEndedMs } = last().timeline;
    expect(begin).toBe(0);
    expect(slices.map(({ slice }) => slice)).toEqual([0, 1]);
    for (const { firstLineMs, lastLineMs, images } of slices) {
      expect(firstLineMs).toBeLessThanOrEqual(lastLineMs!);
      expect(lastLineMs).toBeLessThanOrEqual(images[0]!.atMs);
    }
    expect(slices[0]!.lastLineMs).toBe(end);
    expect(lastReadoutToLastImageMs).toBeCloseTo(slices[0]!.images[0]!.atMs - end, 9);
    expect(inputEndedMs).toBeGreaterThanOrEqual(slices[0]!.images[0]!.atMs);
  });

  it('has the network, its strength and what each light rests on', () => {
    chosen();
    observer.readout?.(acquisitionHeader(0));
    const denoising: DenoisingRecord = {
      strengthPercent: 75, noiseSource: 'measured', light: 'amber', reasons: ['x'], residualStd: 0.91234567, edgeCorrelation: NaN, largestStructure: 2,
      dataConsistency: false, modelId: 'mr-denoiser', modelVersion: '1', modelSha256: 'ab',
    };
    for (const slice of [0, 1]) observer.imageMade?.(reconImage(slice, 2, 4, 6, { kind: 'denoised', denoising }));
    observer.closed?.(closed);
    expect(last().denoising).toMatchObject({
      strengthPercent: 75, model: { id: 'mr-denoiser' },
      images: [{ slice: 0, light: 'amber', residualStd: 0.9123, edgeCorrelation: null }, { slice: 1 }],
    });
  });

  it('stays small, whatever comes: remarks, lines, images beyond a bound are left out', () => {
    chosen(headerXml({ nLines: 600 }).replaceAll('<z>1</z>', '<z>600</z>'));
    const header = acquisitionHeader(0);
    for (let n = 0; n < 6000; n++) observer.readout?.({ ...header, idx: { ...header.idx, kspaceEncodeStep1: n % 600, average: n } });
    for (let n = 0; n < 2000; n++) observer.imageMade?.(reconImage(n));
    for (let n = 0; n < 1000; n++) observer.remarked?.({ severity: 'warning', code: 'X', message: `remark ${n}` });
    observer.closed?.(closed);
    const { sampling, remarks, timeline } = last();
    expect([sampling!.pattern.length, sampling!.order.length, remarks.length, timeline.slices.length]).toEqual([0, 4096, 64, 1024]);
  });

  it('is none of a session that scanned nothing; of one that failed it tells the code', async () => {
    await play([concat([...encodeConfigFile('default'), ...encodeHeader(headerXml()), ...encodeClose()])], {}, { observer });
    expect(records).toEqual([]);
    await play([scan()], { failAt: 9 }, { observer });
    expect(last()).toMatchObject({ outcome: 'failed', reason: { code: 'RECON_ERR_FAKE_SAMPLES' } });
  });
});
