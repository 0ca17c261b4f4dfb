/**
 * What a slice of the simulated CT scanner takes, step by step: a body of 340 x 230 mm on pixels of 0.5 mm,
 * the clinical fan, an image of 512 x 512 over 350 mm. Medians on one thread, and the share of each in a
 * slice at one dose with one kernel.
 *
 *   npx tsx bench/ct.ts
 */
import {
  Random,
  ViewFilter,
  backproject,
  bowtieProfile,
  clinicalFanBeam,
  defaultCtOptions,
  forwardProject,
  measure,
} from '../simulator/index.js';
import { medianMs, printTable } from './report.js';

const { bowtie, waterPerMm } = defaultCtOptions;
const pixelMm = 0.5;
const [columns, rows] = [680, 460];
const bodyGrid = { rows, columns, pixelMm, firstXMm: (-pixelMm * (columns - 1)) / 2, firstYMm: (-pixelMm * (rows - 1)) / 2 };
const body = Float32Array.from({ length: rows * columns }, (_, pixel) => {
  const x = ((pixel % columns) + 0.5) / columns - 0.5;
  const y = (Math.floor(pixel / columns) + 0.5) / rows - 0.5;
  return x * x + y * y < 0.25 ? waterPerMm : 0;
});
const imageGrid = { rows: 512, columns: 512, pixelMm: 350 / 512, firstXMm: -175, firstYMm: -175 };

const projections = forwardProject(body, bodyGrid, clinicalFanBeam);
const profile = bowtieProfile(clinicalFanBeam, bowtie, waterPerMm);
const detection = { quantaPerReading: 1e6, electronicNoiseQuanta: 18, crosstalk: 0 };
const filter = new ViewFilter(clinicalFanBeam, 'soft');
const views = filter.apply(projections);

const steps: readonly (readonly [string, () => unknown])[] = [
  ['project', () => forwardProject(body, bodyGrid, clinicalFanBeam)],
  ['measure', () => measure(projections, profile, detection, new Random(1))],
  ['filter', () => filter.apply(projections)],
  ['backproject', () => backproject(views, imageGrid)],
];
const times = steps.map(([name, run]) => [name, medianMs(() => void run())] as const);
const wholeMs = times.reduce((sum, [, ms]) => sum + ms, 0);
printTable(
  `One CT slice, ${clinicalFanBeam.nViews} views of ${clinicalFanBeam.nChannels} channels: ${wholeMs.toFixed(0)} ms`,
  ['step', 'ms', 'share'],
  times.map(([name, ms]) => [name, ms.toFixed(0), `${((100 * ms) / wholeMs).toFixed(0)} %`]),
);
