/** One figure of a sweep over what was varied. Whoever points at it is told the nearest point's row. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { SweepView } from '../api/index.js';
import { number } from '../parts/index.js';
import { dashes, hues } from './hues.js';
import { aligned, sweepAxes, sweepFigures } from './sweepCurves.js';
import type { SweepAxis, SweepCurve, SweepFigure } from './sweepCurves.js';

interface SweepChartProps {
  readonly sweep: SweepView;
  readonly curves: readonly SweepCurve[];
  readonly axis: SweepAxis;
  readonly figure: SweepFigure;
  /** Its point is ringed. */
  readonly selected: number;
  readonly onSelect: (row: number) => void;
}

const height = 230;
const font = '12px system-ui, sans-serif';
const colours = { axis: '#9fb2c3', grid: '#26313d', limit: '#f2b84b', ring: '#ffffff' } as const;

export function SweepChart({ sweep, curves, axis, figure, selected, onSelect }: SweepChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef({ selected, onSelect });
  latest.current = { selected, onSelect };
  const { title, limit: limitName, includes } = sweepFigures[figure];
  const limit = sweep.limits[limitName];

  useEffect(() => {
    const target = place.current!;
    const { x, y, rows } = aligned(sweep, curves, axis, figure);
    const axisLook = { stroke: colours.axis, font, grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid, width: 1 } };
    const spanWith = (values: readonly number[]) => (_: uPlot, low: number | null, high: number | null): [number, number] => {
      const all = [...values, ...(low === null ? [] : [low]), ...(high === null ? [] : [high])];
      const [least, largest] = [Math.min(...all), Math.max(...all)];
      const room = 0.06 * (largest - least || 1);
      return [least === 0 ? 0 : least - room, largest + room];
    };
    const made = new uPlot(
      {
        width: target.clientWidth, height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: { x: { time: false, range: spanWith([]) }, y: { range: spanWith([...(includes === undefined ? [] : [includes]), ...(limit === undefined ? [] : [limit])]) } },
        axes: [
          { ...axisLook, label: sweepAxes[axis], labelFont: font, labelSize: 22, size: 30, values: (_, splits) => splits.map(number) },
          { ...axisLook, size: 48, values: (_, splits) => splits.map(number) },
        ],
        series: [{}, ...curves.map(({ label, hue, dash }) => {
          const stroke = hues[hue % hues.length]!;
          return { label, stroke, width: 1.6, dash: [...dashes[dash % dashes.length]!], spanGaps: true, points: { show: true, size: 7, stroke, fill: stroke } };
        })],
        hooks: {
          setCursor: [(self) => {
            const row = nearest(self, x, y, rows);
            if (row !== undefined && row !== latest.current.selected) latest.current.onSelect(row);
          }],
          draw: [(self) => {
            if (limit !== undefined) drawLimit(self, limit);
            ring(self, x, y, rows, latest.current.selected);
          }],
        },
      },
      [[...x], ...y.map((values) => [...values])] as uPlot.AlignedData,
      target,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height }));
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [sweep, curves, axis, figure]);
  useEffect(() => plot.current?.redraw(false), [selected]);
  return (
    <figure class="sweep-chart">
      <figcaption><strong>{title}</strong> {limit !== undefined && <span class="quiet">limit {number(limit)}</span>}</figcaption>
      <div ref={place} role="img" aria-label={`${title} over ${sweepAxes[axis]}; the values are in the table of settings`} />
    </figure>
  );
}

type Points<Value> = readonly (readonly (Value | null)[])[];

/** CSS pixels; beyond them nothing is meant. */
const reachPixels = 60;

function nearest(self: uPlot, x: readonly number[], y: Points<number>, rows: Points<number>): number | undefined {
  const { left = -1, top = -1 } = self.cursor;
  if (left < 0 || top < 0) return undefined;
  let best: { readonly row: number; readonly distance: number } | undefined;
  y.forEach((values, curve) => values.forEach((value, i) => {
    const row = rows[curve]![i];
    if (value === null || row === null || row === undefined) return;
    const distance = Math.hypot(self.valToPos(x[i]!, 'x') - left, self.valToPos(value, 'y') - top);
    if (distance <= reachPixels && distance < (best?.distance ?? Infinity)) best = { row, distance };
  }));
  return best?.row;
}

function drawLimit({ ctx, bbox, valToPos }: uPlot, limit: number): void {
  const at = valToPos(limit, 'y', true);
  ctx.save();
  ctx.strokeStyle = colours.limit;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, at);
  ctx.lineTo(bbox.left + bbox.width, at);
  ctx.stroke();
  ctx.restore();
}

function ring({ ctx, valToPos }: uPlot, x: readonly number[], y: Points<number>, rows: Points<number>, selected: number): void {
  const ratio = globalThis.devicePixelRatio || 1;
  ctx.save();
  ctx.strokeStyle = colours.ring;
  ctx.lineWidth = 1.5 * ratio;
  rows.forEach((curve, c) => curve.forEach((row, i) => {
    const value = y[c]![i];
    if (row !== selected || value === null || value === undefined) return;
    ctx.beginPath();
    ctx.arc(valToPos(x[i]!, 'x', true), valToPos(value, 'y', true), 6.5 * ratio, 0, 2 * Math.PI);
    ctx.stroke();
  }));
  ctx.restore();
}
