/** The picture that a finding rests on: the slice around it, outlines, measures and marked areas, with level and grade. */
import { Canvas, lineHeight, textWidth, wrapped, type Colour, type Picture, type Point2 } from '../../imaging/index.js';
import type { Severity, Spine } from '../types.js';
import { worstSeverity } from './priority.js';
import type { ReportedFinding } from './schema.js';
import { outlineColour, SliceView } from './sliceView.js';
import { findingText } from './words.js';

/** Behind words; never without them. */
export const severityColours: Readonly<Record<Severity, Colour>> = {
  normal: [205, 235, 205], mild: [255, 243, 180], moderate: [255, 208, 148], severe: [246, 160, 150],
};
export const noSeverityColour: Colour = [222, 228, 238];
export const syntheticColour: Colour = [255, 220, 0];

const black: Colour = [0, 0, 0];
const captionSize = 11;
const marginPixels = 6;
const leastExtentMm = 20;

export interface EvidencePicture {
  readonly findingId: string;
  readonly picture: Picture;
}

/** Of those of the findings that have a drawing. */
export function evidencePictures(spine: Spine, findings: readonly ReportedFinding[], sizePixels = 420): EvidencePicture[] {
  return findings.flatMap((finding) => {
    const picture = evidencePicture(spine, finding, sizePixels);
    return picture === undefined ? [] : [{ findingId: finding.id, picture }];
  });
}

/**
 * A square of the slice under its caption, `sizePixels` wide; nothing where the finding has no drawing or its series is not
 * there.
 */
export function evidencePicture(spine: Spine, finding: ReportedFinding, sizePixels: number): Picture | undefined {
  const { drawing } = finding;
  if (drawing === undefined || spine.series[drawing.seriesIndex] === undefined) return undefined;
  const title = finding.level === undefined ? '' : `${finding.level}: `;
  const caption = wrapped(`${title}${findingText(finding, new Map())}`, captionSize, sizePixels - 2 * marginPixels);
  const step = lineHeight(captionSize);
  const captionPixels = caption.length * step + 2 * marginPixels - (step - captionSize);
  const bandPixels = isOfComputedImages(spine, finding) ? syntheticBandPixels : 0;
  const top = captionPixels + bandPixels;
  const canvas = new Canvas(sizePixels, top + sizePixels, black);
  const severity = worstSeverity(finding);
  canvas.fill(0, 0, sizePixels, captionPixels, severity === undefined ? noSeverityColour : severityColours[severity]);
  caption.forEach((line, index) => canvas.text(marginPixels, marginPixels + index * step, line, { size: captionSize, colour: black }));
  if (bandPixels > 0) drawSynthetic(canvas, 0, captionPixels, sizePixels);

  const box = { x: 0, y: top, width: sizePixels, height: sizePixels };
  const view = new SliceView(canvas, box, spine, {
    seriesIndex: drawing.seriesIndex, sliceIndex: drawing.sliceIndex, centreMm: drawing.centreMm,
    pixelsPerMm: sizePixels / Math.max(leastExtentMm, drawing.extentMm),
  });
  for (const code of drawing.outlines) view.outline(code, outlineColour(code));
  const labels = new Labels(canvas, view);
  for (const { pointsMm, text } of drawing.areas) {
    const points = pointsMm.map((point) => view.place(point));
    if (points.length === 0) continue;
    canvas.polyline([...points, points[0]!], markColour, 1.6);
    labels.add(points[0]!, text, markColour);
  }
  for (const { fromMm, toMm, text } of drawing.lines) {
    const [from, to] = [view.place(fromMm), view.place(toMm)];
    canvas.line(from, to, black, 3.5);
    canvas.line(from, to, measureColour, 1.6);
    for (const [end, other] of [[from, to], [to, from]] as const) canvas.line(...tick(end, other), measureColour, 1.6);
    labels.add([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], text, measureColour);
  }
  view.drawDirections(10);
  return canvas.picture;
}

const measureColour: Colour = [255, 255, 120];
const markColour: Colour = [255, 120, 200];

/** What is drawn on, or what the numbers are from. */
function isOfComputedImages({ series }: Spine, { basis, drawing }: ReportedFinding): boolean {
  return basis.synthetic || (drawing !== undefined && series[drawing.seriesIndex]?.synthetic === true);
}

export const syntheticBandPixels = 26;

/** The mark of computed images, as wide as they are. */
export function drawSynthetic(canvas: Canvas, x: number, y: number, width: number): void {
  const words = 'SYNTHETIC: computed, not scanned';
  const size = Math.min(14, ((width - 8) * 14) / textWidth(words, 14));
  canvas.fill(x, y, width, syntheticBandPixels, syntheticColour);
  canvas.text(x + (width - textWidth(words, size)) / 2, y + (syntheticBandPixels - size) / 2, words, { size, colour: black, strokePixels: size / 6 });
}

/** A short line across the end of a measure. */
function tick(end: Point2, other: Point2): [Point2, Point2] {
  const [dx, dy] = [other[0] - end[0], other[1] - end[1]];
  const length = Math.hypot(dx, dy) || 1;
  const [u, v] = [(-dy / length) * 5, (dx / length) * 5];
  return [[end[0] - u, end[1] - v], [end[0] + u, end[1] + v]];
}

/** Texts beside what they belong to, none on another where there is room. */
class Labels {
  readonly #canvas: Canvas;
  readonly #view: SliceView;
  readonly #taken: { x: number; y: number; width: number }[] = [];

  constructor(canvas: Canvas, view: SliceView) {
    this.#canvas = canvas;
    this.#view = view;
  }

  add([x, y]: Point2, text: string, colour: Colour): void {
    if (text === '') return;
    const size = 11;
    const width = textWidth(text, size);
    const { x: boxLeft, y: boxTop, width: boxWidth, height: boxHeight } = this.#view.box;
    const within = (at: number, low: number, high: number) => Math.max(low, Math.min(at, high));
    const places = Array.from({ length: 12 }, (_, row) => row).flatMap((row) => [1, -1].flatMap((sign) => [x + 8, x - 8 - width].map((left): Point2 => [
      within(left, boxLeft + 3, boxLeft + boxWidth - width - 3), within(y - size / 2 + sign * row * (size + 5), boxTop + 3, boxTop + boxHeight - size - 3),
    ])));
    const isFree = ([left, top]: Point2) => this.#taken.every((other) => left > other.x + other.width || left + width < other.x || Math.abs(top - other.y) > size + 3);
    const [left, top] = places.find(isFree) ?? places[0]!;
    this.#taken.push({ x: left, y: top, width });
    this.#canvas.text(left, top, text, { size, colour, halo: black, strokePixels: 1.5 });
  }
}
