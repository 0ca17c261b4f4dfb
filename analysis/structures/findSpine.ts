/**
 * From series to the spine: segment, find the column, cut it at its discs, name its levels, and write what is known back into
 * codes of every stack. Sagittal stacks tell the levels, all of them together; axial ones take theirs by their place.
 */
import { analysisError, type AnalysisErrorCode } from '../errors.js';
import type { Place } from '../geometry.js';
import { fuseWithSagittal, groupsOf, segmentGroup, type IndexedSeries, type LabelledClasses } from '../segment/index.js';
import type { AnalysisSeries, Contrast, LabelledStack, RunModel, Segment, Spine, Vertebra } from '../types.js';
import { archesOf } from './arches.js';
import { codesOf, type Levels } from './codes.js';
import { medianOf } from './fit.js';
import { heightRangeMm, locate } from './locate.js';
import type { StructureNote, StructureNotes } from './notes.js';
import { contradictionOf, isCutBy, metalLevels, refusalOf } from './refusals.js';
import { stackOf, type Stack } from './regions.js';

export interface FindSpineOptions {
  readonly signal?: AbortSignal;
}

/** Which series speak first. */
const order: readonly Contrast[] = ['t2w', 't1w', 'stir', 't2fs', 'pdw', 'pdfs', 't1fs', 'ct', 'syntheticCt'];
const confidenceInVoids = 0.4;
const confidenceOfMissing = 0.2;

/**
 * @returns the spine, whose `series` are those that were given, and what is to be said of them
 * @throws CodedError ANALYSIS_ERR_*, where nothing is left to analyse, and those of the model host
 */
export async function findSpine(series: readonly AnalysisSeries[], run: RunModel, { signal }: FindSpineOptions = {}): Promise<{ spine: Spine; notes: StructureNotes }> {
  const notes: StructureNote[] = [];
  const kept = series
    .map((one, index): IndexedSeries => ({ index, series: one }))
    .filter(({ index, series: one }) => {
      const note = refusalOf(one, index);
      if (note !== undefined) notes.push(note);
      return note === undefined;
    })
    .sort((a, b) => Number(a.series.synthetic) - Number(b.series.synthetic) || order.indexOf(a.series.contrast) - order.indexOf(b.series.contrast));
  if (kept.length === 0) throw refusal(notes);
  const stop = () => signal?.throwIfAborted();
  const asked: RunModel = (inputs) => {
    stop();
    return run(inputs);
  };

  const keepEvidence = new Set(kept.map(({ series: { orientation } }) => orientation)).size > 1;
  const label = async (all: readonly IndexedSeries[], about?: Place, others: readonly LabelledClasses[] = []) => {
    const labels: LabelledClasses[] = [];
    for (const group of groupsOf(all)) {
      const labelled = await segmentGroup(group, asked, { about, keepEvidence });
      if (labelled.length > 1) notes.push({ code: 'ANALYSIS_WARN_MOVED', got: group.map(({ series: { description } }) => description).join(', '), seriesIndex: group[0]!.index });
      labels.push(...labelled);
    }
    fuseWithSagittal(labels, others);
    return labels.map(stackOf).flatMap((stack) => asDeclared(stack, series, notes));
  };
  const sagittal = await label(kept.filter(({ series: { orientation } }) => orientation === 'sagittal'));
  const axialSeries = kept.filter(({ series: { orientation } }) => orientation === 'axial');
  const axialAlone = sagittal.length === 0 ? await label(axialSeries) : [];
  const leading = sagittal.length > 0 ? sagittal : axialAlone;
  if (leading.length === 0) throw refusal(notes);

  const { levels, numbering } = locate(leading, sagittal.length === 0);
  const scanned = (stacks: readonly Stack[]) => stacks.map(({ labelled }) => labelled).filter(({ seriesIndices }) => seriesIndices.some((index) => !series[index]!.synthetic));
  const axial = sagittal.length === 0 ? [] : await label(axialSeries, middleOf(levels), scanned(sagittal));
  const stacks = [...leading, ...axial];
  const metal = new Set(stacks.flatMap((stack) => {
    const own = stack.labelled.orientation === 'sagittal' ? metalLevels(levels.bodies, stack, series[stack.labelled.seriesIndices[0]!]!) : [];
    if (own.length > 0) notes.push({ code: 'ANALYSIS_WARN_METAL', got: own.join(', '), seriesIndex: stack.labelled.seriesIndices[0]!, levels: own });
    return own;
  }));
  const vertebrae = levels.bodies.flatMap((body, place) => (body.name === '' ? [] : [vertebraOf(body, levels.bodies, place, leading, metal)]));
  const odd = vertebrae.filter(({ name, partial }) => !partial && name !== 'S1').map(({ name }) => levels.bodies.find((body) => body.name === name)!)
    .filter(({ heightMm, isMissing }) => !isMissing && (heightMm < heightRangeMm[0] || heightMm > heightRangeMm[1])).map(({ name }) => name);
  if (odd.length > 0) notes.push({ code: 'ANALYSIS_WARN_SHAPE', got: odd.join(', '), levels: odd });
  const segments = levels.discs.flatMap((disc, place): Segment[] => {
    const [upper, lower] = [levels.bodies[place]!.name, levels.bodies[place + 1]!.name];
    if (disc.name === '') return [];
    const { frame, halfWidthMm, halfDepthMm } = disc;
    const confidence = disc.isMissing ? confidenceOfMissing : metal.has(upper) || metal.has(lower) ? confidenceInVoids * disc.confidence : disc.confidence;
    return [{ name: disc.name, upper, lower, frame, halfWidthMm, halfDepthMm, confidence }];
  });
  const labelledStacks = stacks.flatMap((stack): LabelledStack[] => {
    const coded = codesOf(stack, levels, archesOf(stack, levels));
    return stack.labelled.seriesIndices.map((seriesIndex) => ({ seriesIndex, orientation: stack.labelled.orientation, ...coded }));
  });
  return { spine: { series, stacks: labelledStacks, vertebrae, segments, numbering }, notes };
}

/** The one error, if all series were refused for one reason. */
function refusal(notes: readonly StructureNote[]) {
  const codes = [...new Set(notes.map(({ code }) => code))].filter((code): code is AnalysisErrorCode => code.startsWith('ANALYSIS_ERR'));
  return analysisError(codes.length === 1 ? codes[0]! : 'ANALYSIS_ERR_NO_SERIES', notes.map(({ got }) => got).join('; ') || 'no series');
}

/** Without the series that contradict their contrast. */
function asDeclared(stack: Stack, series: readonly AnalysisSeries[], notes: StructureNote[]): Stack[] {
  const seriesIndices = stack.labelled.seriesIndices.filter((index) => {
    const contradiction = contradictionOf(series[index]!, stack.regions);
    if (contradiction !== undefined) notes.push({ code: 'ANALYSIS_ERR_CONTRAST', got: `${series[index]!.description}: ${contradiction}`, seriesIndex: index });
    return contradiction === undefined;
  });
  return seriesIndices.length === 0 ? [] : [{ ...stack, labelled: { ...stack.labelled, seriesIndices } }];
}

function middleOf({ bodies }: Levels): Place {
  const low = bodies.slice(-5);
  return [0, 1, 2].map((axis) => low.reduce((sum, { frame }) => sum + frame.originMm[axis]! + 18 * frame.y[axis]!, 0) / low.length) as unknown as Place;
}

function vertebraOf(body: Levels['bodies'][number], bodies: Levels['bodies'], place: number, stacks: readonly Stack[], metal: ReadonlySet<string>): Vertebra {
  const cuts = stacks.map((stack) => isCutBy(stack, body)).filter((cut) => cut !== undefined);
  const near = [bodies[place - 1], bodies[place + 1]].filter((one) => one !== undefined);
  const expected = medianOf(near.map(({ heightMm }) => heightMm));
  const isEnd = place === 0 || place === bodies.length - 1;
  // A body at the end that is much lower than its neighbour ends where the signal does.
  const partial = cuts.length === 0 || cuts.every((cut) => cut) || (isEnd && body.name !== 'S1' && body.name !== 'C2' && body.heightMm < 0.75 * expected) || body.isMissing;
  const unlike = Math.abs(Math.log(Math.max(0.1, body.heightMm / expected)));
  const shape = Math.max(0.6, 1 - Math.max(0, unlike - 0.15));
  const confidence = body.isMissing ? confidenceOfMissing : body.confidence * (body.name === 'S1' || body.name === 'C2' ? 1 : shape) * (metal.has(body.name) ? confidenceInVoids : 1);
  return { name: body.name, frame: body.frame, partial, confidence };
}

