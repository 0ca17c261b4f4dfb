/** A stage that finds boxes on whatever it is offered: everything that an analysis hands on, without a network. */
import { bodyCode, discCode, evidencePictures, makeReport, outlinesOf, structureCodes } from '../../../analysis/index.js';
import type { Assessment, LabelledStack, Spine } from '../../../analysis/index.js';
import { encodePng, pointOf, volumeOf } from '../../../imaging/index.js';
import { analysisObjects } from '../../../src/analysis/dicom/index.js';
import { outcomeOf, readSeriesForAnalysis } from '../../../src/analysis/index.js';
import type { SourcedSeries } from '../../../src/analysis/index.js';
import type { Offer, Outcome } from '../../../src/handoff/index.js';
import { assessment } from '../../analysis/report/fixtures.js';

/** @param fetched images by their links */
export async function analysedAsBoxes(offer: Offer, fetched: ReadonlyMap<string, Uint8Array>): Promise<Outcome[]> {
  const series: SourcedSeries[] = [];
  for (const { dicom, role } of offer.series) series.push(...(await readSeriesForAnalysis(dicom.map(({ location }) => fetched.get(location)!), { role })).series);
  const { geometry } = series[0]!.series.volume;
  const frame = { originMm: pointOf(geometry, [14, 5, 1]), x: geometry.sliceDirection, y: geometry.rowDirection, z: geometry.columnDirection };
  const spine: Spine = {
    series: series.map((one) => one.series), stacks: series.map(labelled),
    vertebrae: ['L4', 'L5'].map((name) => ({ name, frame, partial: false, confidence: 0.9 })),
    segments: [{ name: 'L4-L5', upper: 'L4', lower: 'L5', frame, halfWidthMm: 10, halfDepthMm: 10, confidence: 0.9 }],
    numbering: { certain: true, reasons: ['the sacrum'] },
  };
  const report = makeReport(spine, drawnOn(spine, assessment()), { software: { name: 'Conus', version: '0.1.0' }, models: [{ id: 'boxes', version: '1' }], created: new Date() });
  const objects = analysisObjects({ spine, report, sources: series.map(({ stack }) => stack), softwareVersion: '0.1.0' });
  const evidence = evidencePictures(spine, report.findings, 120).map(({ findingId, picture }) => ({ findingId, png: encodePng(picture) }));
  return [outcomeOf(offer.offerId, offer.tasks, { report, objects, outlines: outlinesOf(spine), evidence })];
}

function labelled({ series: { volume: { geometry, data }, orientation } }: SourcedSeries, seriesIndex: number): LabelledStack {
  const [columns, rows] = geometry.matrixSize;
  const codes = Uint16Array.from(data, (_, voxel) => {
    const row = Math.floor(voxel / columns) % rows;
    const column = voxel % columns;
    if (column > 20) return column < 24 ? structureCodes.sac : 0;
    return column < 8 ? 0 : row < 10 ? bodyCode('L4') : row < 14 ? discCode('L4-L5') : row < 26 ? bodyCode('L5') : 0;
  });
  return { seriesIndex, orientation, codes: volumeOf(geometry, codes), confidence: new Uint8Array(codes.length).fill(200) };
}

/** The same findings, drawn on the middle of these images. */
function drawnOn({ series }: Spine, { findings, notAssessed }: Assessment): Assessment {
  const { geometry } = series[0]!.volume;
  const drawing = {
    seriesIndex: 0, sliceIndex: 1, centreMm: pointOf(geometry, [16, 16, 1]), extentMm: 80, outlines: [discCode('L4-L5')],
    lines: [{ fromMm: pointOf(geometry, [12, 12, 1]), toMm: pointOf(geometry, [18, 12, 1]), text: 'AP 8.0 mm' }], areas: [],
  };
  return { findings: findings.map((finding) => (finding.drawing === undefined ? finding : { ...finding, drawing })), notAssessed };
}
