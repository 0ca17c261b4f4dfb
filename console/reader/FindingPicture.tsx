/** The picture of a finding: the slice that it was found on, about its place, with its measures and marked areas drawn on it. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Drawing, ExamView, Finding, PixelWindow, ReadingView } from '../api/index.js';
import { outputName, roleName } from '../parts/index.js';
import { toPixel } from '../pictures/geometry.js';
import { hasOutlines, outlineOverlay, useOutlines } from '../pictures/outlines.js';
import type { Outline } from '../pictures/outlines.js';
import { useSpineWindow } from '../pictures/spineWindow.js';
import { usePicture, usePictureList } from '../pictures/store.js';
import { newView, Viewport } from '../pictures/viewport.js';
import type { Overlay, Placing } from '../pictures/viewport.js';
import { about, sliceOf } from './place.js';
import { findingName, levelName } from './report.js';

export function FindingPicture({ exam, reading, finding }: { exam: ExamView; reading: ReadingView; finding: Finding }) {
  const drawing = finding.drawing!;
  const place = reading.images[drawing.seriesIndex];
  const series = exam.series.find(({ id }) => id === place?.seriesId);
  const list = usePictureList(exam.id, series).filter(({ output }) => output === place?.output);
  const own = sliceOf(drawing, list);
  const [offset, setOffset] = useState(0);
  const view = useMemo(newView, []);
  const window = useSignal<PixelWindow | undefined>(undefined);
  const entry = own === undefined ? undefined : list[Math.min(list.length - 1, Math.max(0, own + offset))];
  const ownEntry = own === undefined ? undefined : list[own];
  const { picture, error } = usePicture(entry === undefined ? undefined : { examId: exam.id, seriesId: place!.seriesId, output: entry.output, number: entry.number });
  useSpineWindow(window, exam.id, series, picture, list);
  useEffect(() => setOffset(0), [finding.id]);
  useEffect(() => {
    if (ownEntry?.geometry !== undefined) view.value = about(drawing, ownEntry, ownEntry.geometry);
  }, [finding.id, ownEntry?.number, ownEntry?.output]);
  const [isOutlined, setIsOutlined] = useState(true);
  const outlines = useOutlines(exam, isOutlined);
  const reported = reading.report.series[drawing.seriesIndex];
  const overlays = useMemo(() => {
    const codes = new Set(drawing.outlines);
    const levels = new Set([finding.level, ...(finding.level?.split('-') ?? [])]);
    const shows = ({ code, kind, level }: Outline) => codes.has(code) || (levels.has(level) && (kind === 'body' || kind === 'disc'));
    return [isOutlined ? outlineOverlay(outlines, { contrast: reported?.contrast, shows }) : undefined, drawingOverlay(drawing, ownEntry?.number)];
  }, [finding, drawing, outlines, isOutlined, reported?.contrast, ownEntry?.number]);
  if (place === null || place === undefined || series === undefined) return <p class="quiet">The images of this finding are not of this service: look at its evidence picture.</p>;
  if (own === undefined) return <p class="quiet" role="status">{list.length === 0 ? 'Asking for the pictures …' : 'The pictures do not tell where they lie: look at the evidence picture of the finding.'}</p>;
  const name = `${levelName(finding.level)}, ${findingName(reading, finding)}`;
  const what = series.description ?? roleName(series.role ?? 'series');
  return (
    <div class="viewer">
      <div class="viewer-tools">
        <span>{name}</span>
        <span class="quiet">{what}, {outputName(place.output).toLowerCase()}, slice {list.indexOf(entry!) + 1} of {list.length}</span>
        <span class="gap" />
        {hasOutlines(exam) && <button type="button" aria-pressed={isOutlined} onClick={() => setIsOutlined(!isOutlined)}>Outlines</button>}
        {offset !== 0 && <button type="button" onClick={() => setOffset(0)}>Back to its slice</button>}
      </div>
      {error !== undefined && <p class="quiet">The picture is not there any more: look at the evidence picture of the finding.</p>}
      <Viewport
        picture={picture}
        view={view}
        window={window}
        caption={name}
        label={`${name}: ${what}, slice ${list.indexOf(entry!) + 1} of ${list.length}`}
        mark={reported?.synthetic === true ? 'SYNTHETIC' : undefined}
        overlays={overlays}
        onScroll={(by) => setOffset((before) => Math.min(list.length - 1, Math.max(0, own + before + by)) - own)}
        onEnd={(which) => setOffset(which === 'first' ? -own : list.length - 1 - own)}
      />
    </div>
  );
}

const lineColour = '#ffe650';
const areaColour = '#ff78d2';

/** Measures as lines with their text, marked areas as polygons: all of them on the drawing's own slice, along its normal, and elsewhere what lies there. */
function drawingOverlay({ lines, areas }: Drawing, ownNumber: number | undefined): Overlay {
  return (context, placing, { geometry, number }) => {
    if (geometry === undefined) return;
    const at = (mm: readonly [number, number, number]) => toPixel(geometry, mm);
    const isHere = (points: readonly (readonly [number, number, number])[]) => number === ownNumber || points.every((mm) => Math.abs(at(mm).distanceMm) <= geometry.thicknessMm / 2 + 0.5);
    context.lineWidth = 1.6;
    context.font = '600 12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    const put = (text: string, x: number, y: number, colour: string) => {
      context.strokeStyle = '#000c';
      context.lineWidth = 3;
      context.strokeText(text, x, y);
      context.fillStyle = colour;
      context.fillText(text, x, y);
      context.lineWidth = 1.6;
    };
    for (const { pointsMm, text } of areas.filter((area) => isHere(area.pointsMm))) {
      const points = pointsMm.map((mm) => pointOn(placing, at(mm)));
      context.strokeStyle = areaColour;
      context.beginPath();
      points.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      context.closePath();
      context.stroke();
      const [x, y] = points.reduce((best, point) => (point[1] < best[1] ? point : best), points[0] ?? [0, 0]);
      put(text, x + 6, y - 8, areaColour);
    }
    for (const { fromMm, toMm, text } of lines.filter((line) => isHere([line.fromMm, line.toMm]))) {
      const [from, to] = [pointOn(placing, at(fromMm)), pointOn(placing, at(toMm))];
      context.strokeStyle = lineColour;
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      put(text, Math.max(from[0], to[0]) + 6, (from[1] + to[1]) / 2, lineColour);
    }
  };
}

const pointOn = (placing: Placing, { column, row }: { column: number; row: number }): [number, number] => [placing.x(column, row), placing.y(column, row)];
