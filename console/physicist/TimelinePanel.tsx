/** When the lines of each slice came, when its images were made, and where the work went. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { TimelineView } from '../api/index.js';
import { outputName, Panel } from '../parts/index.js';
import { hues } from './hues.js';
import { spanOf, stageShares, timelineRows, timeText, timeTicks } from './timeline.js';

/** Until it is measured. */
const usualWidth = 1000;
const left = 66;
const right = 14;
const top = 26;
/** In this order their marks have their colours. */
const kindOrder = ['image', 'denoised', 'gFactor', 'snr', 'noise', 'residual', 'coilMap', 'psf'];

export function TimelinePanel({ timeline }: { timeline: TimelineView }) {
  const [part, setPart] = useState<'whole' | 'end'>('whole');
  const { lastReadoutToLastImageMs } = timeline;
  return (
    <Panel
      title="Images against the scan"
      tools={
        <div class="tools" role="group" aria-label="Part of the scan">
          <button type="button" aria-pressed={part === 'whole'} onClick={() => setPart('whole')}>whole scan</button>
          <button type="button" aria-pressed={part === 'end'} onClick={() => setPart('end')}>its end</button>
        </div>
      }
    >
      <p class="quiet">
        Scan {timeText(timeline.scan[1] - timeline.scan[0])}
        {lastReadoutToLastImageMs !== undefined && <>; the last image {timeText(lastReadoutToLastImageMs)} after the last readout</>}.
      </p>
      <Slices timeline={timeline} part={part} />
      <Stages timeline={timeline} />
    </Panel>
  );
}

function Slices({ timeline, part }: { timeline: TimelineView; part: 'whole' | 'end' }) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const { scan } = timeline;
  const rows = timelineRows(timeline);
  const span = spanOf(timeline, part);
  const row = rows.length > 40 ? 7 : 15;
  const height = top + rows.length * row + 26;
  const x = (ms: number) => left + ((Math.max(span[0], Math.min(span[1], ms)) - span[0]) / (span[1] - span[0])) * (width - left - right);
  const isWithin = (ms: number) => ms >= span[0] && ms <= span[1];
  const kinds = kindOrder.filter((kind) => rows.some(({ images }) => images.some((image) => image.kind === kind)));
  const bottom = height - 26;
  return (
    <>
      <p class="legend">
        <span><i class="swatch lines-swatch" /> its lines</span>
        {kinds.map((kind, hue) => <span key={kind}><svg width="12" height="12" aria-hidden="true"><Mark hue={hue} x={6} y={6} /></svg> {outputName(kind)}</span>)}
      </p>
      <div ref={place}>
        <svg class="timeline" width={width} height={height} role="img" aria-label={`Lines and images of ${timeline.slices.length} slices; each mark tells its time`}>
          {timeTicks(span).map((ms) => (
            <g key={ms}>
              <line class="grid" x1={x(ms)} x2={x(ms)} y1={top} y2={bottom} />
              <text class="axis" x={x(ms)} y={height - 9} text-anchor="middle">{timeText(ms)}</text>
            </g>
          ))}
          {rows.map(({ name, firstLineMs, lastLineMs, images }, index) => {
            const y = top + index * row;
            return (
              <g key={name}>
                {(row > 10 || index % 5 === 0) && <text class="axis" x={left - 8} y={y + row / 2} text-anchor="end" dominant-baseline="central">{name}</text>}
                {firstLineMs !== undefined && lastLineMs !== undefined && lastLineMs >= span[0] && (
                  <rect class="lines-bar" x={x(firstLineMs)} y={y + row * 0.3} width={Math.max(1, x(lastLineMs) - x(firstLineMs))} height={row * 0.4}>
                    <title>{`${name}: lines from ${timeText(firstLineMs)} to ${timeText(lastLineMs)}`}</title>
                  </rect>
                )}
                {images.map(({ kind, atMs }, i) => isWithin(atMs) && (
                  <g key={i}><title>{`${name}: ${outputName(kind)} at ${timeText(atMs)}${atMs > scan[1] ? `, ${timeText(atMs - scan[1])} after the last readout` : ''}`}</title><Mark hue={kinds.indexOf(kind)} x={x(atMs)} y={y + row / 2} /></g>
                ))}
              </g>
            );
          })}
          <line class="moment" x1={x(scan[1])} x2={x(scan[1])} y1={top - 8} y2={bottom} />
          <text class="moment" x={x(scan[1])} y={top - 12} text-anchor={x(scan[1]) > width - 120 ? 'end' : 'middle'}>last readout</text>
        </svg>
      </div>
    </>
  );
}

/** CSS pixels. */
function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(usualWidth);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(400, Math.floor(entry!.contentRect.width))));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** Told apart by shape as well as by colour. */
function Mark({ hue, x, y }: { hue: number; x: number; y: number }) {
  const fill = hues[hue % hues.length]!;
  switch (hue % 4) {
    case 0: return <circle cx={x} cy={y} r="3.6" fill={fill} />;
    case 1: return <rect x={x - 3.2} y={y - 3.2} width="6.4" height="6.4" fill={fill} />;
    case 2: return <path d={`M${x} ${y - 4.2} l4.2 7.6 h-8.4 z`} fill={fill} />;
    default: return <path d={`M${x} ${y - 4.4} l4.4 4.4 l-4.4 4.4 l-4.4 -4.4 z`} fill={fill} />;
  }
}

function Stages({ timeline }: { timeline: TimelineView }) {
  const shares = stageShares(timeline);
  if (shares.length === 0) return null;
  return (
    <details>
      <summary>Work of each stage</summary>
      <p class="quiet">Over all threads: stages that ran side by side add up to more than the scan took.</p>
      <table>
        <thead><tr><th scope="col">Stage</th><th scope="col" class="number">ms</th><th scope="col" class="number">Share</th><th scope="col"><span class="unseen">as a bar</span></th></tr></thead>
        <tbody>
          {shares.map(({ stage, ms, share }) => (
            <tr key={stage}>
              <th scope="row">{stage}</th><td class="number">{ms.toFixed(1)}</td><td class="number">{Math.round(100 * share)} %</td>
              <td><span class="meter" style={{ width: `${(260 * share).toFixed(1)}px` }} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
