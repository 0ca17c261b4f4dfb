/** Which lines of k-space were measured, for what, and in which order: of one image. */
import { useEffect, useRef } from 'preact/hooks';
import type { SamplingView } from '../api/index.js';
import { Panel } from '../parts/index.js';
import { hues } from './hues.js';

const looks: readonly (readonly [character: string, of: keyof SamplingView['nMeasured'], name: string, colour: string])[] = [
  ['i', 'imaging', 'imaging', hues[0]],
  ['b', 'calibrationAndImaging', 'imaging and calibration', hues[2]],
  ['c', 'calibration', 'calibration', hues[1]],
  ['.', 'missing', 'not measured', '#232d38'],
];
const colourOf = new Map(looks.map(([character, , , colour]) => [character, colour]));

export function SamplingPanel({ sampling }: { sampling: SamplingView | undefined }) {
  if (sampling === undefined) return <Panel title="Sampling"><p class="quiet">No lines of k-space were acquired.</p></Panel>;
  const { slice, nLines, nPartitions, firstLine, centreLine, nAverages, nReadouts, nMeasured, pattern } = sampling;
  const nPlaces = nLines * nPartitions;
  return (
    <Panel title="Sampling">
      <p class="quiet">
        Slice {slice}: {nPlaces - nMeasured.missing} of {nPlaces} lines{nAverages > 1 ? `, ${nAverages} averages` : ''}, {nReadouts} readouts;
        lines {firstLine} to {firstLine + nLines - 1}, the k-space centre in line {centreLine}{nPartitions > 1 ? `; ${nPartitions} partitions` : ''}.
      </p>
      <p class="legend">{looks.map(([, of, name, colour]) => <span key={of}><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" fill={colour} /></svg> {name}: {nMeasured[of]}</span>)}</p>
      {pattern.length === 0
        ? <p class="quiet">There are too many places to show.</p>
        : (
          <div class="scrolled" tabIndex={0} role="region" aria-label="Sampling pattern and order of acquisition">
            <p class="quiet">Lines across{nPartitions > 1 ? ', partitions down' : ''}:</p>
            <Pattern sampling={sampling} />
            <p class="quiet">The same lines across, readouts from the first to the last down:</p>
            <Order sampling={sampling} />
          </div>
        )}
    </Panel>
  );
}

/** A whole number of pixels a line, so that a lattice is seen as one. */
const pixelsALine = (nLines: number) => Math.max(1, Math.min(6, Math.floor(1180 / nLines)));
const lineHeight = 44;
const orderHeight = 180;

function Pattern({ sampling: { pattern, nLines, nPartitions, centreLine, firstLine } }: { sampling: SamplingView }) {
  const size = pixelsALine(nLines);
  const rowHeight = nPartitions > 1 ? size : lineHeight;
  return (
    <Drawing
      width={nLines * size} height={nPartitions * rowHeight + 8} label="Sampling pattern; the counts are above it, the mark below it is the centre of k-space"
      draw={(context) => {
        pattern.forEach((row, partition) => {
          for (let line = 0; line < nLines; line++) {
            context.fillStyle = colourOf.get(row[line]!) ?? '#000';
            context.fillRect(line * size, partition * rowHeight, size, rowHeight);
          }
        });
        context.fillStyle = '#fff';
        context.fillRect((centreLine - firstLine) * size, nPartitions * rowHeight + 2, size, 6);
      }}
    />
  );
}

function Order({ sampling: { order, nLines, firstLine, nReadouts } }: { sampling: SamplingView }) {
  const size = pixelsALine(nLines);
  return (
    <Drawing
      width={nLines * size} height={orderHeight} label={`Order of acquisition of ${Math.min(order.length, nReadouts)} readouts`}
      draw={(context) => {
        context.fillStyle = hues[0];
        order.forEach((line, index) => context.fillRect((line - firstLine) * size, (index * (orderHeight - 3)) / Math.max(1, order.length - 1), Math.max(2, size), 3));
      }}
    />
  );
}

function Drawing({ width, height, label, draw }: { width: number; height: number; label: string; draw: (context: CanvasRenderingContext2D) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const ratio = globalThis.devicePixelRatio || 1;
    const target = canvas.current!;
    [target.width, target.height] = [width * ratio, height * ratio];
    const context = target.getContext('2d', { alpha: false })!;
    context.scale(ratio, ratio);
    context.fillStyle = '#0c1117';
    context.fillRect(0, 0, width, height);
    draw(context);
  });
  return <canvas ref={canvas} role="img" aria-label={label} style={{ width: `${width}px`, height: `${height}px` }} />;
}
