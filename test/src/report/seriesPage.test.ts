import { parseHeader } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { defaultReconParameters, noiseStatistics, planCartesian, type ReconImage } from '../../../recon/index.js';
import { ChainChoice, defaultParameters } from '../../../src/chain/index.js';
import { ReadoutCensus } from '../../../src/raw/index.js';
import { seriesPage, SeriesReports, type ScanContent } from '../../../src/report/index.js';
import { headerXml, image, settings } from '../delivery/fixtures.js';
import { acquisitionHeader } from '../streams.js';

const hostile = '<script>alert(1)</script>';
const escapedHostile = '&lt;script&gt;alert(1)&lt;/script&gt;';

const header = parseHeader(
  headerXml()
    .replace('t2_tse_sag', escapedHostile)
    .replace('</systemModel>', '</systemModel><coilLabel><coilNumber>0</coilNumber><coilName>' + escapedHostile + '</coilName></coilLabel>')
    .replace('Magnet 3', escapedHostile),
);

function scanContent(change: Partial<ScanContent> = {}): ScanContent {
  const choice = new ChainChoice({
    overrides: { kernelReadout: '7' },
    implied: [{ name: 'snrMap', value: 'true', source: '--report' }],
  });
  choice.configFile('grappa');
  choice.text(JSON.stringify({ parameters: { seriesDescription: hostile } }));
  const census = new ReadoutCensus();
  for (const line of [0, 2, 4, 6, 8, 10]) census.add(acquisitionHeader(line));
  census.add(acquisitionHeader(5, {}, 'parallelCalibration'));
  census.add(acquisitionHeader(6, {}, 'parallelCalibration'));
  census.add(acquisitionHeader(0, {}, 'noiseMeasurement'));
  const noise = noiseStatistics({ nCoils: 2, nSamples: 20_000, matrix: Float64Array.of(2, 0, 0.6, 0, 0.6, 0, 8, 0) }, [hostile, 'SP2']);
  return {
    header,
    choices: choice.choose().decisions,
    planning: planCartesian(header, defaultReconParameters).decisions,
    readouts: census.readouts,
    noise,
    stageMs: { readout: 30, combination: 10, [hostile]: 1 },
    durationMs: 1234,
    lastReadoutToLastImageMs: 17,
    remarks: [`WRN X: ${hostile}`],
    ...change,
  };
}

function reportsOf(images: readonly ReconImage[]): SeriesReports {
  const reports = new SeriesReports(header, settings);
  for (const one of images) reports.image(one);
  return reports;
}

const maps = (counters: Partial<ReconImage['counters']> = {}): ReconImage[] => {
  const of = (change: Partial<ReconImage>, value: number) =>
    image({ ...change, counters: { ...image().counters, ...counters } }, new Float32Array(120).fill(value));
  return [
    image({ counters: { ...image().counters, ...counters } }),
    of({ kind: 'gFactor' }, 1.4), of({ kind: 'snr' }, 25), of({ kind: 'coilMap', coil: 0 }, 0.5), of({ kind: 'psf' }, 0.1),
  ];
};

const pageOf = (images: readonly ReconImage[], change: Partial<ScanContent> = {}) => seriesPage(reportsOf(images).series[0]!, scanContent(change));

describe('the page of a series', () => {
  const page = pageOf([...maps({ slice: 0 }), ...maps({ slice: 1 })]);

  it('is one file without scripts and without requests', () => {
    expect(page).not.toMatch(/<script|javascript:|https?:\/\/|<link|@import|url\(/i);
    expect(page).toContain("default-src 'none'");
    for (const [, source] of page.matchAll(/src="([^"]*)"/g)) expect(source).toMatch(/^data:image\/png;base64,/);
  });

  it('shows hostile names as text: of protocol, scanner, coil, client, remark, stage', () => {
    expect(page.split(escapedHostile).length - 1).toBeGreaterThanOrEqual(7);
  });

  it('says nothing of the patient', () => {
    const words = page.replace(/data:image[^"]*/g, '');
    for (const secret of ['Müller', 'P-17', '1961', '4711', 'LWS', 'Clinic', '2024-05-06', '71.25']) expect(words.includes(secret), secret).toBe(false);
  });

  it('has every parameter with its value and its origin', () => {
    for (const [name, value] of Object.entries(defaultParameters)) {
      const row = page.split('<tr').find((part) => part.includes(`<code class="name">${name}</code>`));
      expect(row, name).toBeDefined();
      const [shown, origin] = {
        unalias: ['grappa', 'chain'], kernelReadout: ['7', 'operator'], snrMap: ['true', 'operator'], seriesDescription: [escapedHostile, 'client'],
      }[name] ?? [String(value) || '(none)', 'default'];
      expect(row).toContain(`<strong>${shown}</strong>`);
      expect(row).toContain(`<span class="badge">${origin}</span>`);
    }
  });

  it('has images and maps of each slice, with their figures and colour bars', () => {
    for (const caption of ['slice 0', 'slice 1', 'mean 1.40, 99th percentile 1.40', 'median 25']) expect(page).toContain(`<figcaption>${caption}</figcaption>`);
    expect(page.match(/alt="colour bar/g)).toHaveLength(3 + 1);
    expect(page).toContain('1.40 / 1.40');
  });

  it('has the noise of the coils by name, their correlation, the lines that were acquired, the stages', () => {
    expect(page).toContain('SP2: 0.15');
    expect(page).toMatch(/imaging: 5<.*imaging and calibration: 1<.*>calibration: 1<.*not acquired: 5</s);
    expect(page).toMatch(/readout<\/td><td class="number">30\.0<\/td><td class="number">73 %/);
    expect(page).toContain('encoding[0].parallelImaging');
  });

  it('tells what is not there', () => {
    const bare = pageOf([image({ method: 'zeroFilled', nMissingLines: 3 })], { noise: undefined, readouts: [], remarks: [] });
    for (const text of ['There are no maps', 'no noise readouts', 'No lines of k-space', 'zero-filled']) expect(bare).toContain(text);
    expect(bare).not.toContain('Point spread');
    expect(pageOf([image({}, new Float32Array(120)), image({ kind: 'gFactor' }, new Float32Array(120))])).toContain('g-factor');
  });
});

describe('the reports of a scan', () => {
  it('have a page a series of images; the maps are on that of their image', () => {
    const reports = reportsOf([...maps(), image({ method: 'zeroFilled', counters: { ...image().counters, slice: 1 } }), ...maps({ slice: 2 })]);
    expect(reports.series.map(({ index, rows }) => [index, rows.length])).toEqual([[1, 2], [8 + 1, 1]]);
    expect(reports.series[1]!.rows[0]!.pictures.gFactor).toBeUndefined();
    expect(reports.series[0]!.coilMaps).toHaveLength(1);
  });

  it('show the last delivery of an image, and a limited number of them', () => {
    const many = Array.from({ length: 70 }, (_, slice) => image({ counters: { ...image().counters, slice } }));
    const [series] = reportsOf([...many, many[0]!]).series;
    expect(series!.rows).toHaveLength(64);
    expect(series!.nLeftOut).toBe(6);
  });
});
