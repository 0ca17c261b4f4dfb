/** The noise of the coils by name: how much each has, and how they share it. */
import { useState } from 'preact/hooks';
import type { NoiseView } from '../api/index.js';
import { number, Panel, State } from '../parts/index.js';
import { ColourBar } from '../pictures/ColourBar.js';
import { palettes } from '../pictures/window.js';

/** Cells get smaller with their number, and stay to be seen. */
const cellPixels = (nCoils: number) => Math.max(6, Math.min(26, Math.floor(460 / nCoils)));
const labelPixels = 96;
const steps: Readonly<Record<string, readonly [rows: number, columns: number]>> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function NoisePanel({ noise }: { noise: NoiseView | undefined }) {
  if (noise === undefined) {
    return <Panel title="Noise of the coils"><p class="quiet">There were no noise readouts, or prewhitening was off: the coils are not whitened, and values are not in units of the noise.</p></Panel>;
  }
  const { nSamples, enoughSamples, storedMeasurement, coils, largestCorrelation, bandwidth } = noise;
  const { noiseDwellTimeUs, dwellTimeUs, relativeReceiverNoiseBandwidth, isOfHeader } = bandwidth;
  const loudest = Math.max(...coils.map(({ std }) => std ?? 0));
  return (
    <Panel title="Noise of the coils">
      <p class="quiet">
        {nSamples} samples a coil{enoughSamples ? '' : ', fewer than are wanted'}{storedMeasurement === undefined ? '' : `, of the stored measurement ${storedMeasurement}`}.
        Largest correlation between two coils {largestCorrelation === null ? 'unknown' : number(largestCorrelation)}.
        Dwell time {noiseDwellTimeUs === undefined ? 'unknown' : `${number(noiseDwellTimeUs)} µs`}, imaging {dwellTimeUs === undefined ? 'unknown' : `${number(dwellTimeUs)} µs`};
        relative noise bandwidth of the receiver {relativeReceiverNoiseBandwidth}{isOfHeader ? '' : ' (the header has none)'}.
      </p>
      <div class="noise">
        <CorrelationMatrix noise={noise} />
        <div class="scrolled" tabIndex={0} role="region" aria-label="Noise of each coil">
          <table>
            <thead><tr><th scope="col">Coil</th><th scope="col" class="number">Standard deviation</th><th scope="col"><span class="unseen">as a bar</span></th><th scope="col"><span class="unseen">fault</span></th></tr></thead>
            <tbody>
              {coils.map(({ name, std, isBroken, fault }, coil) => (
                <tr key={coil}>
                  <th scope="row">{name}</th>
                  <td class="number">{std === null ? 'unknown' : std.toPrecision(4)}</td>
                  <td><span class="meter" style={{ width: `${loudest > 0 ? (120 * (std ?? 0)) / loudest : 0}px` }} /></td>
                  <td>{isBroken && <State is="bad">{fault ?? 'broken'}</State>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </Panel>
  );
}

/** Of the covariance, what does not depend on gains: |Psi_ab| / sqrt(Psi_aa Psi_bb). */
function CorrelationMatrix({ noise: { coils, correlation } }: { noise: NoiseView }) {
  const [at, setAt] = useState<readonly [row: number, column: number]>();
  const n = coils.length;
  const cell = cellPixels(n);
  const textOf = (row: number, column: number) => {
    const value = correlation[row]![column]!;
    return `${coils[row]!.name}, ${coils[column]!.name}: ${value === null ? 'unknown' : value.toFixed(3)}`;
  };
  const move = (event: KeyboardEvent) => {
    const by = steps[event.key];
    if (by === undefined) return;
    const [row, column] = at ?? [0, 0];
    const within = (index: number) => Math.max(0, Math.min(n - 1, index));
    setAt([within(row + by[0]), within(column + by[1])]);
    event.preventDefault();
  };
  const size = n * cell;
  return (
    <figure class="matrix">
      <svg
        width={labelPixels + size} height={labelPixels + size} tabIndex={0} role="img" onKeyDown={move}
        aria-label={`Noise correlation of ${n} coils${at === undefined ? '; arrows go from cell to cell' : `; ${textOf(...at)}`}`} onPointerLeave={() => setAt(undefined)}
      >
        {coils.map(({ name }, index) => (
          <g key={index} class="coil-names">
            <text x={labelPixels - 5} y={labelPixels + (index + 0.5) * cell} text-anchor="end" dominant-baseline="central" font-size={Math.min(11, cell)}>{short(name)}</text>
            <text text-anchor="start" dominant-baseline="central" font-size={Math.min(11, cell)} transform={`translate(${labelPixels + (index + 0.5) * cell} ${labelPixels - 5}) rotate(-60)`}>{short(name)}</text>
          </g>
        ))}
        {correlation.map((values, row) => values.map((value, column) => (
          <rect
            key={`${row} ${column}`} x={labelPixels + column * cell} y={labelPixels + row * cell} width={cell} height={cell} fill={colourOf(value)}
            stroke={at?.[0] === row && at[1] === column ? '#fff' : 'none'} onPointerEnter={() => setAt([row, column])}
          />
        )))}
      </svg>
      <figcaption>
        <ColourBar palette="heat" window={{ centre: 0.5, width: 1 }} />
        <p aria-live="polite">{at === undefined ? 'Point at a cell, or use the arrows.' : textOf(...at)}</p>
      </figcaption>
    </figure>
  );
}

const short = (name: string) => (name.length > 14 ? `${name.slice(0, 13)}…` : name);

function colourOf(value: number | null): string {
  if (value === null) return '#30363d';
  const at = 3 * Math.round(255 * Math.max(0, Math.min(1, value)));
  return `rgb(${palettes.heat[at]!} ${palettes.heat[at + 1]!} ${palettes.heat[at + 2]!})`;
}
