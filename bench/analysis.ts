/**
 * How well the whole road grades: simulated patients whose truth is known, scanned, reconstructed, denoised, segmented,
 * measured and graded, against the truth on their label maps.
 *
 *   npx tsx bench/analysis.ts --first 720000 --count 10 --road scan      raw data of lumbar-fast through conus simulate and conus recon
 *   npx tsx bench/analysis.ts --first 730000 --count 30 --road images    images by the signal equations with noise and shading, without a scan
 *   npx tsx bench/analysis.ts --first 740000 --count 30 --road truth     without a network: the truth's own outlines, which is the limit of the measures
 *
 * `--pathology` says what ails the patients, where `random:grades=uniform` leaves most levels healthy:
 *
 *   graded     canals of the three lowest levels and foramina of L3-L4 and L4-L5 with grades drawn evenly, half of the discs with a Modic
 *              type, one or two vertebrae with a fracture
 *   discs      the three lowest discs with types of displacement, all lumbar ones with Pfirrmann's grades, drawn evenly
 *   recesses   lateral recesses of the three lowest levels with grades drawn evenly; three discs infected, or with what resembles it:
 *              Modic 1 or 2, or dark. Signs of infection count as found where there are two or more
 *   facets     joints of the three lowest levels with grades drawn evenly
 *   cord       the neck, with plaques and contusions at C3, C5 and C7; by images and by the truth alone
 *
 * `--out FILE` keeps a line a patient, `--read FILE…` makes the tables of kept lines. Agreement is quadratic kappa (Cohen 1968,
 * doi 10.1037/h0026256); `binary` is normal or mild against moderate or severe, outside 10 % of a cut-off.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { analyse, assess, scales } from '../analysis/index.js';
import type { Finding, RunModel, ScaleName, Vertebra } from '../analysis/index.js';
import { ModelHost, readModels, shippedModels } from '../models/index.js';
import { performAnalysis, segmentationModel, seriesForAnalysis, usableSegmentation } from '../src/analysis/index.js';
import { dicomFiles, readSeriesFiles } from '../src/dicom/index.js';
import { buildPatient, drawPatient, patientTruth, Random } from '../simulator/index.js';
import type { SimulatedPatient, Truth } from '../simulator/index.js';
import { spineOf, type StackOptions } from '../test/analysis/truthSpine.js';
import { asMeasured } from './measured.js';
import { median, printTable } from './report.js';

const { values: options } = parseArgs({
  options: {
    first: { type: 'string', default: '720000' }, count: { type: 'string', default: '10' }, road: { type: 'string', default: 'scan' },
    pathology: { type: 'string', default: 'random:grades=uniform' }, snr: { type: 'string', default: '20' }, out: { type: 'string' },
    read: { type: 'string', multiple: true }, 'lumbar-vertebrae': { type: 'string' },
  },
});

/** One measure or grade of a patient: what is true, what was found. */
interface Pair {
  readonly what: string;
  readonly level: string;
  readonly true: number | string;
  readonly found: number | string | null;
  /** Of grades: the measure behind the true one. */
  readonly value?: number;
}

interface Row {
  readonly seed: number;
  readonly road: string;
  readonly certain: boolean;
  /** Of each vertebra that was found: what it was called, and what the nearest one is. */
  readonly levels: readonly { readonly found: string; readonly true: string }[];
  readonly pairs: readonly Pair[];
  readonly seconds: number;
}

const neckStacks: readonly StackOptions[] = [{ contrast: 't2w', orientation: 'sagittal', segment: 'C5-C6', sliceStepMm: 3.3, fovMm: 240, pixelMm: 0.7 }];
/** Behind the lowest disc, which is tilted most, the canal lies far from the plane through the disc's middle. */
const lumbarStacks: readonly StackOptions[] = [
  { contrast: 't2w', orientation: 'sagittal', pixelMm: 0.73 },
  { contrast: 't1w', orientation: 'sagittal', pixelMm: 0.73 },
  ...(['L3-L4', 'L4-L5', 'L5-S1'] as const).map((segment) => ({ contrast: 't2w' as const, orientation: 'axial' as const, segment, nSlices: segment === 'L5-S1' ? 7 : 3, pixelMm: 0.625 })),
];

const lowest = ['L3-L4', 'L4-L5', 'L5-S1'] as const;
const hernias: readonly string[] = ['protrusion', 'extrusion'];
type Draw = <Value>(values: readonly Value[]) => Value;

/** What ails patients in whom grades are drawn evenly; the draws of one kind of patient are those of its seed. */
const pathologies: Readonly<Record<string, (one: Draw) => string[]>> = {
  graded(one) {
    const items: string[] = [];
    for (const level of lowest) {
      items.push(`stenosis:${level}:${one(scales.centralCanal.grades)}`);
      // What is left of the lowest foramen beside the sacrum can often not be measured.
      for (const side of level === 'L5-S1' ? [] : ['left', 'right']) items.push(`foramen:${level}:${one(scales.foramen.grades)}:side=${side}`);
    }
    for (const level of ['L1-L2', 'L2-L3', ...lowest]) {
      const type = one(['', '', '', '', '', 'modic1', 'modic2', 'modic3', 'modicmixed:types=1/2', 'modicmixed:types=2/3']);
      const [kind, ...keys] = type.split(':');
      if (kind !== '') items.push([kind, level, ...keys].join(':'));
    }
    for (const vertebra of ['T12', 'L2'].filter(() => one([true, true, true, false]))) items.push(`fracture:${vertebra}:${one(['1', '2', '3'])}`);
    return items;
  },
  discs(one) {
    const items: string[] = [];
    for (const level of lowest) {
      const type = one(['none', 'bulge', 'protrusion', 'extrusion']);
      const isHernia = hernias.includes(type);
      if (isHernia) items.push(`${type}:${level}:${one(scales.herniationSize.grades)}`);
      else if (type === 'bulge') items.push(`${type}:${level}`);
      // A healthy disc does not herniate.
      items.push(`degeneration:${level}:${one(isHernia ? ['3', '4', '5'] : ['1', '2', '3', '4', '5'])}`);
    }
    for (const level of ['T12-L1', 'L1-L2', 'L2-L3']) items.push(`degeneration:${level}:${one(['1', '2', '3', '4', '5'])}`);
    return items;
  },
  recesses(one) {
    const items = lowest.flatMap((level) => ['left', 'right'].map((side) => `recess:${level}:${one(scales.lateralRecess.grades)}:side=${side}`));
    for (const level of ['T12-L1', 'L2-L3', 'L4-L5']) {
      const kind = one(['none', 'paraspinal', 'epidural', 'both', 'modic1', 'modic1', 'modic2', 'degeneration']);
      items.push(kind === 'degeneration' ? `${kind}:${level}:4` : kind.startsWith('modic') ? `${kind}:${level}` : `spondylodiscitis:${level}:abscess=${kind}`);
    }
    return items;
  },
  facets(one) {
    return lowest.flatMap((level) => ['left', 'right'].map((side) => `facet:${level}:${one(scales.facetWidth.grades)}:side=${side}`));
  },
  cord(one) {
    return ['C3', 'C5', 'C7'].flatMap((level) => {
      const kind = one(['', 'plaque', 'contusion']);
      return kind === '' ? [] : [kind === 'plaque' ? `${kind}:${level}` : `${kind}:${level}:mm=${one([12, 15, 18, 21])}`];
    });
  },
};

function pathologyOf(seed: number): string | undefined {
  const random = new Random(seed);
  const drawn = pathologies[options.pathology]?.((values) => values[Math.floor(random.uniform() * values.length)]!);
  return drawn === undefined ? options.pathology : drawn.length === 0 ? undefined : drawn.join(',');
}

const region = options.pathology === 'cord' ? 'cervical' : 'lumbar';

async function analysed(patient: SimulatedPatient, seed: number, run: RunModel | undefined): Promise<{ findings: readonly Finding[]; certain: boolean; vertebrae: readonly Vertebra[] }> {
  if (options.road === 'scan') return scanned(seed);
  const spine = spineOf(patient, region === 'cervical' ? neckStacks : lumbarStacks);
  if (run === undefined) return { ...assess(spine), certain: true, vertebrae: spine.vertebrae };
  const random = new Random(seed);
  const series = spine.series.map((one) => asMeasured(one, Number(options.snr), random));
  const { spine: found, report } = await analyse(series, run, { software: { name: 'bench', version: '0' }, models: [], created: new Date(0) });
  return { findings: report.findings as readonly Finding[], certain: found.numbering.certain, vertebrae: found.vertebrae };
}

const conus = new URL('../dist/src/main.js', import.meta.url).pathname;

/** R = 2 and 3 as lumbar-fast has them, 16 channels, denoised; by the program itself. */
async function scanned(seed: number): Promise<Awaited<ReturnType<typeof analysed>>> {
  const folder = mkdtempSync(join(tmpdir(), 'conus-road-'));
  try {
    execFileSync(process.execPath, [conus, 'simulate', '--protocol', 'lumbar-fast', '--seed', String(seed), '--pathology', pathologyOf(seed)!, '--write', 'raw', '-o', join(folder, 'raw')], { stdio: 'ignore' });
    const sources = [];
    for (const series of ['sag-t2w', 'sag-t1w', 'ax-t2w']) {
      execFileSync(process.execPath, [conus, 'recon', join(folder, 'raw', series, 'raw.mrd'), '-o', join(folder, series)], { stdio: 'ignore' });
      const { series: read } = await readSeriesFiles(await dicomFiles(join(folder, series)));
      const denoised = read.map(({ images }) => images).find((images) => images[0]!.facts.imageType.includes('DENOISED'));
      sources.push(seriesForAnalysis(denoised ?? read[0]!.images, { role: series.endsWith('t1w') ? 't1w' : 't2w' }));
    }
    const { spine, report } = await performAnalysis({ sources, model, softwareVersion: '0', pictures: 'none' }, run!);
    return { findings: report.findings as readonly Finding[], certain: spine.numbering.certain, vertebrae: spine.vertebrae };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function pairsOf({ discs, vertebrae, alignment, findings: ailments, lesions }: Truth, findings: readonly Finding[], names: readonly string[]): Pair[] {
  const find = (kind: Finding['kind'], level?: string, side?: 'left' | 'right') => findings.find((one) => one.kind === kind && one.level === level && one.side === side);
  const measure = (finding: Finding | undefined, name: string) => finding?.measures.find((one) => one.name === name)?.value ?? null;
  const grade = (finding: Finding | undefined, scale: string) => finding?.grades.find((one) => one.scale === scale)?.value ?? null;
  const inField = (level: string) => level.split('-').every((name) => names.includes(name) || name === 'S1');
  const pairs: Pair[] = [];
  const add = (what: string, level: string, truth: number | string | null | undefined, found: number | string | null, value?: number) => {
    if (truth !== null && truth !== undefined) pairs.push({ what, level, true: truth, found, ...(value !== undefined && { value }) });
  };
  for (const disc of discs.filter(({ level }) => inField(level) && /^(L|T12)/.test(level))) {
    const { level, centralCanal, foramen, lateralRecess, facetJoint, listhesis, degeneration, displacement, heights, modic } = disc;
    if (['L3-L4', 'L4-L5', 'L5-S1'].includes(level)) {
      const canal = find('centralCanal', level);
      add('centralCanal', level, centralCanal?.grade, grade(canal, 'centralCanal'), centralCanal?.sacAreaMm2);
      add('sacArea', level, centralCanal?.sacAreaMm2, measure(canal, 'sacArea'));
      for (const side of ['left', 'right'] as const) add('lateralRecess', `${level} ${side}`, lateralRecess[side]?.grade, grade(find('lateralRecess', level, side), 'lateralRecess'), lateralRecess[side]?.heightMm);
      for (const side of ['left', 'right'] as const) {
        const joint = find('facetJoint', level, side);
        add('lateralRecessHeight', `${level} ${side}`, lateralRecess[side]?.heightMm, measure(find('lateralRecess', level, side), 'recessHeight'));
        add('facetJoint', `${level} ${side}`, facetJoint[side]?.grade, grade(joint, 'facetWidth'), facetJoint[side]?.jointSpaceMm);
        add('jointSpace', `${level} ${side}`, facetJoint[side]?.jointSpaceMm, measure(joint, 'jointSpace'));
      }
    }
    for (const side of ['left', 'right'] as const) {
      const found = find('foramen', level, side);
      add('foramen', `${level} ${side}`, foramen[side]?.grade, grade(found, 'foramen'), foramen[side]?.widthMm);
      add('foramenArea', `${level} ${side}`, foramen[side]?.areaMm2, measure(found, 'foramenArea'));
    }
    const slip = find('listhesis', level);
    add('slip', level, listhesis?.slipMm, measure(slip, 'slip'));
    add('meyerding', level, listhesis?.meyerding, grade(slip, 'meyerding') ?? (slip === undefined ? null : '0'));
    add('pfirrmann', level, degeneration?.pfirrmann, grade(find('pfirrmann', level), 'pfirrmann'));
    const displaced = find('displacement', level);
    add('displacement', level, displacement?.type, grade(displaced, 'displacement'));
    add('canalShare', level, displacement?.herniation?.canalShare, measure(displaced, 'canalShare'));
    const height = find('discHeight', level);
    add('discHeight', level, heights?.middleMm, measure(height, 'middleHeight'));
    const types = [modic.upper, modic.lower].flatMap((one) => (one === null || one.type === 'none' ? [] : one.type.split('/')));
    add('modic', level, types.length === 0 ? 'none' : [...new Set(types)].sort().join('/'), grade(find('modic', level), 'modic'));
  }
  for (const { level } of discs.filter(({ level: name }) => inField(name))) {
    const signs = find('infectionSigns', level)?.signs;
    if (signs !== undefined) add('infection', level, String(ailments.some(({ kind, level: at }) => kind === 'spondylodiscitis' && at === level)), String(signs.length >= leastSigns));
  }
  if (region === 'cervical') pairs.push(...cordPairs(lesions, findings.filter(({ kind }) => kind === 'cordLesion')));
  for (const { level, heights, fracture } of vertebrae.filter(({ level }) => inField(level) && /^(L|T1[12])/.test(level))) {
    const found = find('vertebralHeights', level);
    add('genant', level, fracture?.grade, grade(found, 'genant'), fracture?.heightLoss);
    for (const place of ['anterior', 'middle', 'posterior'] as const) add('bodyHeight', `${level} ${place}`, heights[`${place}Mm`], measure(found, `${place}Height`));
  }
  add('lordosis', 'L1-S1', alignment.lumbarLordosisDeg, measure(find('lordosis'), 'lumbarLordosis'));
  add('sacralSlope', 'S1', alignment.sacralSlopeDeg, measure(find('sacralSlope', 'S1'), 'sacralSlope'));
  return pairs;
}

/** Each lesion with the nearest finding that is within half of their lengths of it, and findings that are none of them. */
function cordPairs(lesions: Truth['lesions'], findings: readonly Finding[]): Pair[] {
  const left = new Set(findings);
  const lengthOf = ({ measures }: Finding) => measures.find(({ name }) => name === 'lesionLength')!.value;
  const pairs = lesions.filter(({ kind }) => cordLesions.includes(kind)).flatMap(({ level, centroidMm, longestAxisMm }): Pair[] => {
    const middleOf = ({ drawing }: Finding) => drawing!.centreMm;
    const awayMm = (finding: Finding) => Math.abs(middleOf(finding)[2] - centroidMm[2]);
    const [own] = [...left].filter((finding) => awayMm(finding) < (lengthOf(finding) + longestAxisMm) / 2).sort((a, b) => awayMm(a) - awayMm(b));
    if (own === undefined) return [{ what: 'cordLesion', level, true: 'true', found: 'false' }];
    left.delete(own);
    return [{ what: 'cordLesion', level, true: 'true', found: 'true' }, { what: 'lesionLength', level, true: longestAxisMm, found: lengthOf(own) }];
  });
  return [...pairs, ...[...left].map(({ level = '' }): Pair => ({ what: 'cordLesion', level, true: 'false', found: 'true' }))];
}

function nearest({ vertebrae }: Truth, { frame: { originMm } }: Vertebra): string {
  const awayMm = (centreMm: readonly number[]) => Math.hypot(...centreMm.map((value, axis) => value - originMm[axis]!));
  return [...vertebrae].sort((a, b) => awayMm(a.centreMm) - awayMm(b.centreMm))[0]!.level;
}

function kappa(pairs: readonly Pair[], grades: readonly string[], weighted: boolean): number {
  const n = grades.length;
  const counts = Array.from({ length: n }, () => new Float64Array(n));
  for (const pair of pairs) counts[grades.indexOf(String(pair.true))]![grades.indexOf(String(pair.found))]!++;
  const rows = counts.map((row) => row.reduce((sum, value) => sum + value, 0));
  const columns = grades.map((_, column) => counts.reduce((sum, row) => sum + row[column]!, 0));
  let [seen, expected] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const weight = weighted ? (i - j) ** 2 : Number(i !== j);
      seen += weight * counts[i]![j]!;
      expected += (weight * rows[i]! * columns[j]!) / pairs.length;
    }
  }
  return expected === 0 ? NaN : 1 - seen / expected;
}

const cordLesions: readonly string[] = ['msPlaque', 'contusion'];
/** Of an infection: one alone, oedema of both sides, is Modic's too. */
const leastSigns = 2;

const graded: readonly (readonly [string, readonly string[], ScaleName?])[] = [
  ['centralCanal', scales.centralCanal.grades, 'centralCanal'], ['lateralRecess', scales.lateralRecess.grades, 'lateralRecess'], ['foramen', scales.foramen.grades, 'foramen'],
  ['facetJoint', scales.facetWidth.grades, 'facetWidth'], ['genant', scales.genant.grades, 'genant'], ['meyerding', ['0', '1', '2', '3', '4', '5']], ['pfirrmann', ['1', '2', '3', '4', '5']],
  ['displacement', ['none', 'bulge', 'protrusion', 'extrusion']], ['modic', ['none', '1', '1/2', '1/3', '2', '2/3', '3']],
];
const measured: readonly (readonly [string, 'share' | 'difference', string])[] = [
  ['sacArea', 'share', '%'], ['foramenArea', 'share', '%'], ['lateralRecessHeight', 'difference', 'mm'], ['jointSpace', 'difference', 'mm'], ['canalShare', 'difference', ''], ['discHeight', 'difference', 'mm'], ['bodyHeight', 'difference', 'mm'], ['slip', 'difference', 'mm'],
  ['lordosis', 'difference', 'deg'], ['sacralSlope', 'difference', 'deg'], ['lesionLength', 'difference', 'mm'],
];

function tables(rows: readonly Row[]): void {
  const pairs = rows.flatMap((row) => row.pairs);
  const of = (what: string) => pairs.filter((pair) => pair.what === what);
  printTable('grades against the truth', ['grade', 'n', 'not assessed', 'quadratic kappa', 'kappa', 'exact', 'binary outside 10 %'], graded.map(([what, grades, scale]) => {
    const all = of(what);
    const found = all.filter((pair) => pair.found !== null && grades.includes(String(pair.found)));
    const clear = scale === undefined ? [] : found.filter(({ value }) => value !== undefined && scales[scale].cutoffs.every((cutoff) => Math.abs(value - cutoff) / cutoff > 0.1));
    const isBad = (grade: unknown) => grades.indexOf(String(grade)) >= 2;
    const agree = clear.filter((pair) => isBad(pair.true) === isBad(pair.found)).length / clear.length;
    return [
      what, all.length, all.length - found.length, kappa(found, grades, true).toFixed(3), kappa(found, grades, false).toFixed(3),
      (found.filter((pair) => pair.true === pair.found).length / found.length).toFixed(3), clear.length === 0 ? '' : `${agree.toFixed(3)} (${clear.length})`,
    ];
  }));
  printTable('measures against the truth', ['measure', 'n', 'median error', 'median signed', '90th percentile', ''], measured.map(([what, kind, unit]) => {
    const found = of(what).filter((pair) => pair.found !== null);
    const errors = found.map((pair) => (kind === 'share' ? 100 * (Number(pair.found) / Number(pair.true) - 1) : Number(pair.found) - Number(pair.true)));
    const sizes = errors.map(Math.abs).sort((a, b) => a - b);
    return [what, found.length, median(sizes).toFixed(2), median(errors).toFixed(2), (sizes[Math.floor(0.9 * sizes.length)] ?? NaN).toFixed(2), unit];
  }));
  const shareOf = (all: readonly Pair[]) => (all.length === 0 ? '' : `${all.filter((pair) => pair.found === pair.true).length} of ${all.length}`);
  printTable('signs against the truth', ['sign', 'sensitivity', 'specificity', 'false a patient'], (['infection', 'cordLesion'] as const).map((what) => {
    const [there, none] = ['true', 'false'].map((truth) => of(what).filter((pair) => pair.true === truth)) as [Pair[], Pair[]];
    // Nothing counts the places without a lesion of the cord.
    return [what, shareOf(there), what === 'cordLesion' ? '' : shareOf(none), (none.filter(({ found }) => found === 'true').length / rows.length).toFixed(2)];
  }));
  const certain = rows.filter((row) => row.certain);
  const levels = certain.flatMap((row) => row.levels);
  const nDuplicates = rows.filter((row) => new Set(row.levels.map(({ found }) => found)).size < row.levels.length).length;
  const right = levels.filter((level) => level.found === level.true).length;
  console.log(`\nlevels: ${right} of ${levels.length} right where the numbering is certain (${certain.length} of ${rows.length} patients), a name twice in ${nDuplicates} patients; seconds a patient for the analysis and what was before it: ${median(rows.map(({ seconds }) => seconds)).toFixed(1)}`);
}

const kept = options.read?.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Row));
const host = new ModelHost(await readModels([shippedModels]), { notice: () => undefined });
const model = kept !== undefined || options.road === 'truth' ? { id: 'none', version: '0', sha256: '0'.repeat(64) } : usableSegmentation(segmentationModel(host.entries));
const run: RunModel | undefined = options.road === 'truth' ? undefined : (inputs) => host.run(model.id, inputs);
const rows: Row[] = [];
for (let seed = Number(options.first); kept === undefined && seed < Number(options.first) + Number(options.count); seed++) {
  const [lumbar, pathology] = [options['lumbar-vertebrae'], pathologyOf(seed)];
  try {
    const patient = buildPatient(drawPatient({ seed, region, ...(pathology !== undefined && { pathology }), ...(lumbar !== undefined && { nLumbar: Number(lumbar) as 4 | 5 | 6 }) }, 1.5), 1.5);
    const truth = patientTruth(patient, 1.5);
    const began = performance.now();
    const { findings, certain, vertebrae } = await analysed(patient, seed, run);
    const names = vertebrae.map(({ name }) => name);
    const row: Row = {
      seed, road: options.road, certain, levels: vertebrae.map((found) => ({ found: found.name, true: nearest(truth, found) })),
      pairs: pairsOf(truth, findings, names), seconds: (performance.now() - began) / 1000,
    };
    rows.push(row);
    if (options.out !== undefined) appendFileSync(options.out, `${JSON.stringify(row)}\n`);
    console.error(`${seed}: ${names.join(' ')}${certain ? '' : ' UNCERTAIN'}, ${findings.length} findings, ${row.seconds.toFixed(1)} s`);
  } catch (error) {
    console.error(`${seed}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
host.close();
tables(kept ?? rows);
