/**
 * One page for people who see no report but pictures: the spine with its levels, grades in colours and words, the pictures
 * that the worst of them rest on, what was not assessed, and what this is: research, synthetic where it is, and not to be
 * relied on. No patient is named on it.
 */
import { Canvas, lineHeight, textWidth, wrapped, type Colour, type Picture, type TextStyle, type Vector3 } from '../../imaging/index.js';
import { bodyCode, discCode, structureCodes } from '../anatomy.js';
import { findingKinds, type FindingKind, type Side, type Spine } from '../types.js';
import { sentenceText } from './changes.js';
import { drawSynthetic, evidencePicture, noSeverityColour, severityColours, syntheticBandPixels, syntheticColour } from './evidence.js';
import { isLesion, worstSeverity } from './priority.js';
import type { Report, ReportedFinding } from './schema.js';
import { outlineColour, SliceView, type Box } from './sliceView.js';
import { isWorthWords, kindWords, measureText, measureWords, quotedMeasures, reasonWords } from './words.js';

const pageColumns = 1240;
const pageRows = 1754;
const margin = 36;
const width = pageColumns - 2 * margin;

const paper: Colour = [255, 255, 255];
const ink: Colour = [20, 20, 20];
const faint: Colour = [120, 120, 120];
const rule: Colour = [190, 190, 190];
const confirmedColour: Colour = [190, 220, 255];
const warningColour: Colour = [255, 190, 120];
const priorityColours: Readonly<Record<Report['priority']['level'], Colour>> = { routine: noSeverityColour, soon: severityColours.moderate, urgent: severityColours.severe };

/** 1240 x 1754 pixels, portrait. @param confirmedAt where a reader has confirmed the report; nobody is named on the page */
export function summaryPage(spine: Spine, report: Report, confirmedAt?: Date): Picture {
  const canvas = new Canvas(pageColumns, pageRows, paper);
  let y = drawHead(canvas, report, confirmedAt);
  const vertebrae = report.levels.filter((level) => !level.includes('-'));
  const segments = report.levels.filter((level) => level.includes('-'));
  const overviewColumns = 350;
  const left = margin + overviewColumns + 20;
  // Beside it the vertebrae, with room for some words below them.
  const overviewRows = Math.max(560, tableHeight(report, vertebrae) + 90);
  drawOverview(canvas, spine, { x: margin, y, width: overviewColumns, height: overviewRows });
  const column: Box = { x: left, y, width: pageColumns - margin - left, height: overviewRows };
  const wordsTop = drawTable(canvas, report, vertebrae, 'vertebra', column);
  drawWords(canvas, report, { ...column, y: wordsTop, height: column.y + column.height - wordsTop });
  y = drawTable(canvas, report, segments, 'segment', { x: margin, y: y + overviewRows + 16, width, height: Infinity });
  const footTop = pageRows - margin - footHeight;
  drawEvidence(canvas, spine, report, { x: margin, y, width, height: footTop - y - 8 });
  drawFoot(canvas, report, footTop);
  return canvas.picture;
}

function drawHead(canvas: Canvas, report: Report, confirmedAt: Date | undefined): number {
  const { software, created, priority, numbering } = report;
  let y = margin;
  canvas.text(margin, y, 'Spine analysis', { size: 24, colour: ink, strokePixels: 3 });
  const about = `${software.name} ${software.version}, ${minuteOf(created)}`;
  canvas.text(pageColumns - margin - textWidth(about, 12), y + 10, about, { size: 12, colour: faint });
  y += 38;
  y = strip(canvas, y, report.statement, [60, 60, 60], paper);
  if (confirmedAt !== undefined) y = strip(canvas, y, `${confirmedWords(report)} ${minuteOf(confirmedAt.toISOString())}`, confirmedColour, ink);
  if (report.syntheticData) y = strip(canvas, y, 'SYNTHETIC: parts of this rest on images that were computed and not scanned. They are marked SYN.', syntheticColour, ink);
  if (!numbering.certain) y = strip(canvas, y, `NUMBERING OF THE LEVELS IS UNCERTAIN: ${numbering.reasons.join('; ')}`, warningColour, ink);
  return strip(canvas, y, `Proposed priority: ${priority.level.toUpperCase()}: ${priority.reason}`, priorityColours[priority.level], ink) + 8;
}

function confirmedWords({ changes, sentences }: Report): string {
  const nGrades = new Set(changes.map(({ findingId, scale }) => `${findingId} ${scale}`)).size;
  const nSentences = sentences.filter(({ edited }) => edited !== undefined).length;
  const changed = [[nGrades, 'grade'], [nSentences, 'sentence']] as const;
  const parts = changed.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`]));
  return `Confirmed by a reader, ${parts.length === 0 ? 'as it was computed' : `who changed ${parts.join(' and ')}`}:`;
}

const minuteOf = (instant: string): string => `${instant.slice(0, 16).replace('T', ' ')} UTC`;

/** Words on a bar across the page, in two lines at most; the y below it. */
function strip(canvas: Canvas, y: number, words: string, background: Colour, colour: Colour): number {
  const size = 12;
  const lines = cut(wrapped(words, size, width - 20), 2);
  const height = lines.length * lineHeight(size) + 6;
  canvas.fill(margin, y, width, height, background);
  lines.forEach((line, index) => canvas.text(margin + 10, y + 8 + index * lineHeight(size), line, { size, colour, strokePixels: 1.6 }));
  return y + height + 4;
}

/** The middle of the best sagittal series, with bodies, discs, canal and the names of the levels. */
function drawOverview(canvas: Canvas, spine: Spine, whole: Box): void {
  canvas.fill(whole.x, whole.y, whole.width, whole.height, [0, 0, 0]);
  const candidates = spine.stacks.filter(({ orientation }) => orientation === 'sagittal').map(({ seriesIndex }) => seriesIndex);
  const contrasts = ['t2w', 't1w', 'stir', 't2fs', 'ct'];
  const rank = (index: number) => {
    const { contrast, synthetic } = spine.series[index]!;
    const place = contrasts.indexOf(contrast);
    return (synthetic ? 100 : 0) + (place < 0 ? contrasts.length : place);
  };
  const [seriesIndex] = candidates.sort((a, b) => rank(a) - rank(b));
  if (seriesIndex === undefined || spine.vertebrae.length === 0) {
    canvas.text(whole.x + 20, whole.y + whole.height / 2, 'no sagittal series', { size: 13, colour: paper });
    return;
  }
  const { volume: { geometry }, synthetic } = spine.series[seriesIndex]!;
  if (synthetic) drawSynthetic(canvas, whole.x, whole.y, whole.width);
  const box = synthetic ? { ...whole, y: whole.y + syntheticBandPixels, height: whole.height - syntheticBandPixels } : whole;
  const centres = spine.vertebrae.map(({ frame }) => frame.originMm);
  const centreMm = mean(centres);
  const along = ([a, b, c]: Vector3) => a * geometry.sliceDirection[0] + b * geometry.sliceDirection[1] + c * geometry.sliceDirection[2];
  const stepMm = geometry.fovMm[2] / geometry.matrixSize[2];
  const sliceIndex = Math.floor(geometry.matrixSize[2] / 2) + Math.round((along(centreMm) - along(geometry.centreMm)) / stepMm);
  const view = new SliceView(canvas, box, spine, { seriesIndex, sliceIndex, centreMm: [centreMm[0], centreMm[1] + 12, centreMm[2]], pixelsPerMm: box.height / extentMm(centres) });
  for (const { name } of spine.vertebrae) view.outline(bodyCode(name), outlineColour(bodyCode(name)));
  for (const { name } of spine.segments) view.outline(discCode(name), outlineColour(discCode(name)));
  for (const code of [structureCodes.sac, structureCodes.cord, structureCodes.sacrum]) view.outline(code, outlineColour(code));
  for (const { name, frame } of spine.vertebrae) {
    const [u, v] = view.place(frame.originMm);
    if (view.holds([u, v], 8)) canvas.text(u - textWidth(name, 13) / 2, v - 6, name, { size: 13, colour: paper, halo: [0, 0, 0], strokePixels: 1.8 });
  }
  view.drawDirections(11);
}

/** With room for half a vertebra at both ends. */
function extentMm(centres: readonly Vector3[]): number {
  const heights = centres.map(([, , z]) => z);
  return Math.max(120, Math.max(...heights) - Math.min(...heights) + 70);
}

interface Column {
  readonly kind: FindingKind;
  readonly side?: Side;
}

const headHeight = 40;

/** Where a column has no room for all of it. */
const headWords: Partial<Record<FindingKind, string>> = {
  centralCanal: 'canal', lateralRecess: 'recess', facetJoint: 'facet', pfirrmann: 'Pfirrmann grade', displacement: 'displaced disc', modic: 'Modic', vertebralHeights: 'height',
};

function rowsOf({ findings, notAssessed }: Report, levels: readonly string[]): string[] {
  const named = new Set([...findings, ...notAssessed].map(({ level }) => level));
  return levels.filter((level) => named.has(level));
}

function rowHeightOf(nRows: number): number {
  return nRows > 14 ? 27 : 33;
}

function tableHeight(report: Report, levels: readonly string[]): number {
  const nRows = rowsOf(report, levels).length;
  return nRows === 0 ? 0 : headHeight + nRows * rowHeightOf(nRows) + 12;
}

/** Rows are levels; the patient's right is left of his left, as on images. The y below the table. */
function drawTable(canvas: Canvas, report: Report, levels: readonly string[], what: string, box: Box): number {
  const columns = columnsOf(report, levels);
  const rows = rowsOf(report, levels);
  if (columns.length === 0 || rows.length === 0) return box.y;
  const levelWidth = 82;
  const rowHeight = rowHeightOf(rows.length);
  const cellWidth = Math.min(150, (box.width - levelWidth) / columns.length);
  canvas.text(box.x, box.y + 14, what, { size: 10, colour: faint });
  columns.forEach(({ kind, side }, index) => {
    const words = wrapped(`${headWords[kind] ?? kindWords[kind]}${side === undefined ? '' : ` ${side}`}`, 9, cellWidth - 4);
    cut(words, 2).forEach((line, place) => canvas.text(box.x + levelWidth + index * cellWidth + 3, box.y + 6 + place * 16, line, { size: 9, colour: ink, strokePixels: 1.4 }));
  });
  rows.forEach((level, row) => {
    const y = box.y + headHeight + row * rowHeight;
    canvas.line([box.x, y], [box.x + levelWidth + columns.length * cellWidth, y], rule);
    canvas.text(box.x, y + (rowHeight - 12) / 2, level, { size: 12, colour: ink, strokePixels: 1.8 });
    columns.forEach((column, index) => drawCell(canvas, report, level, column, { x: box.x + levelWidth + index * cellWidth, y, width: cellWidth, height: rowHeight }));
  });
  return box.y + tableHeight(report, levels);
}

function columnsOf({ findings, notAssessed }: Report, levels: readonly string[]): Column[] {
  const entries = [...findings.filter(isWorthWords), ...notAssessed].filter(({ level }) => level !== undefined && levels.includes(level));
  return findingKinds.flatMap((kind) => {
    const ofKind = entries.filter((entry) => entry.kind === kind);
    if (ofKind.length === 0) return [];
    const sides = (['right', 'left'] as const).filter((side) => ofKind.some((entry) => entry.side === side));
    return sides.length === 0 ? [{ kind }] : sides.map((side) => ({ kind, side }));
  });
}

function drawCell(canvas: Canvas, report: Report, level: string, { kind, side }: Column, { x, y, width: columns, height }: Box): void {
  const isHere = (entry: { kind: FindingKind; level?: string; side?: Side }) =>
    entry.kind === kind && entry.level === level && (side === undefined || entry.side === side || entry.side === undefined);
  const found = report.findings.filter(isHere);
  const worst = [...found].sort((a, b) => badness(b) - badness(a))[0];
  const inner = { x: x + 1, y: y + 1, width: columns - 2, height: height - 1 };
  const [upper, lower] = [y + Math.round(height / 7), y + Math.round(0.6 * height)];
  if (worst === undefined) {
    const missing = report.notAssessed.find(isHere);
    if (missing !== undefined) {
      drawFitted(canvas, x + 4, upper, 'not assessed', columns - 7, { size: 9, colour: faint });
      drawFitted(canvas, x + 4, lower, reasonWords[missing.code], columns - 7, { size: 7, colour: faint });
    }
    return;
  }
  const severity = worstSeverity(worst);
  canvas.fill(inner.x, inner.y, inner.width, inner.height, severity === undefined ? noSeverityColour : severityColours[severity]);
  drawFitted(canvas, x + 4, upper, cellWords(worst), columns - 7, { size: 10, colour: ink, strokePixels: 1.4 });
  const isChanged = report.changes.some(({ findingId }) => findingId === worst.id);
  const [measure] = quotedMeasures(worst);
  const marks = [
    ...(measure === undefined ? [] : [measureText(measure)]),
    ...(worst.basis.synthetic ? ['SYN'] : []), ...(isChanged ? ['reader'] : []), ...(worst.confidence < 0.7 ? ['unsure'] : []),
  ];
  drawFitted(canvas, x + 4, lower, marks.join(', '), columns - 7, { size: 8, colour: ink });
}

/** A grade in a word or two. */
function cellWords(finding: ReportedFinding): string {
  const { kind, grades, signs } = finding;
  const isGraded = grades.some(({ scale }) => scale === 'centralCanal');
  const words = grades.flatMap(({ scale, value, severity }) => {
    switch (scale) {
      case 'pfirrmann': return [`grade ${value}`];
      case 'meyerding': return [value === '0' ? 'none' : `grade ${value}`];
      case 'basic': return [`BASIC ${value}`];
      case 'genant': return [value === '0' ? 'preserved' : `grade ${value}`];
      case 'facetWidth': return [severity ?? value];
      case 'modic': return [value === 'none' ? 'none' : `type ${value}`];
      case 'genantType': return value === 'none' ? [] : [value];
      // Beside the grade by area there is no room for the other two.
      case 'schizas': return isGraded ? [] : [`Schizas ${value}`];
      case 'canalDiameter': return isGraded ? [] : [value];
      case 'centralCanal': case 'lateralRecess': case 'foramen': case 'herniationSize': case 'displacement': case 'fractureAge': case 'imll':
        return [value];
    }
  });
  if (words.length > 0) return words.join(' ');
  if (kind === 'malignantSigns' || kind === 'infectionSigns') return signs.length === 0 ? 'none' : `${signs.length} ${signs.length === 1 ? 'sign' : 'signs'}`;
  if (kind === 'cordLesion') return isLesion(finding) ? 'lesion' : 'none';
  const [foremost] = quotedMeasures(finding);
  return foremost === undefined ? (signs[0] ?? 'seen') : measureWords(foremost.name);
}

function badness(finding: ReportedFinding): number {
  return ['normal', 'mild', 'moderate', 'severe'].indexOf(worstSeverity(finding) ?? 'normal') + (finding.signs.length > 0 ? 0.5 : 0);
}

/** The whole spine in words, and what a reader should know first. */
function drawWords(canvas: Canvas, report: Report, { x, y, width: columns, height }: Box): void {
  const size = 11;
  const whole = report.sentences.find(({ level }) => level === undefined);
  const paragraphs = [...(whole === undefined ? [] : [sentenceText(whole)]), ...report.notes.map((note) => `Note: ${note}.`)];
  const lines = paragraphs.flatMap((paragraph) => wrapped(paragraph, size, columns));
  cut(lines, Math.max(1, Math.floor(height / lineHeight(size)))).forEach((line, index) => canvas.text(x, y + index * lineHeight(size), line, { size, colour: ink }));
}

/** The worst findings that have a picture, as many as there is room for. */
function drawEvidence(canvas: Canvas, spine: Spine, report: Report, { x, y, width: columns, height }: Box): void {
  const nAcross = 5;
  const gap = 12;
  const size = Math.floor((columns - (nAcross - 1) * gap) / nAcross);
  const worst = report.findings
    .filter((finding) => finding.drawing !== undefined && badness(finding) > 0)
    .sort((a, b) => badness(b) - badness(a));
  let [left, top, rowHeight, shown] = [x, y + 22, 0, 0];
  for (const finding of worst) {
    if (top + size > y + height) break;
    const picture = evidencePicture(spine, finding, size);
    if (picture === undefined) continue;
    if (top + picture.rows > y + height) continue;
    canvas.place(picture, left, top);
    rowHeight = Math.max(rowHeight, picture.rows);
    shown++;
    left += size + gap;
    if (shown % nAcross === 0) [left, top, rowHeight] = [x, top + rowHeight + gap, 0];
  }
  if (shown > 0) canvas.text(x, y, shown < worst.length ? `What the ${shown} foremost findings rest on; ${worst.length - shown} more are in the report` : 'What the findings rest on', { size: 12, colour: ink, strokePixels: 1.6 });
}

const footHeight = 40;

function drawFoot(canvas: Canvas, { models, series }: Report, y: number): void {
  const size = 9;
  const networks = models.map(({ id, version }) => `${id} ${version}`).join(', ');
  const images = series.map(({ description, contrast, synthetic }) => {
    const name = description === '' ? contrast : description;
    // Those of our own are called so already.
    return synthetic && !/^SYN\b/.test(name) ? `SYN ${name}` : name;
  }).join(', ');
  const lines = cut(wrapped(`Series: ${images}. Networks: ${networks === '' ? 'none' : networks}. Green, yellow, orange and red stand behind normal, mild, moderate and severe; grey-blue behind what has no order.`, size, width), 2);
  canvas.line([margin, y], [pageColumns - margin, y], rule);
  lines.forEach((line, index) => canvas.text(margin, y + 8 + index * lineHeight(size), line, { size, colour: faint }));
}

/** The first lines; the last of them tells that there were more. */
function cut(lines: readonly string[], most: number): readonly string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `${lines[most - 1]!.slice(0, -2)} ...`];
}

const leastSize = 6.5;

/** A line that fits: smaller where it has to be, and cut off only where it could not be read. */
function drawFitted(canvas: Canvas, x: number, y: number, line: string, columns: number, style: TextStyle): void {
  const size = Math.max(leastSize, Math.min(style.size, (style.size * columns) / Math.max(1, textWidth(line, style.size))));
  const characters = [...line];
  while (characters.length > 0 && textWidth(characters.join(''), size) > columns + 0.5) characters.pop();
  canvas.text(x, y + (style.size - size) / 2, characters.join(''), { ...style, size });
}

function mean(points: readonly Vector3[]): Vector3 {
  return [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis]!, 0) / points.length) as unknown as Vector3;
}
