/**
 * Which echo of which train reads which line of a fast spin echo.
 *
 * The acquired lines, in ascending order, are cut into as many bands as a train has echoes; each train
 * reads one line of every band, the same one counted from the band's beginning, so that neighbouring
 * lines come from the same echo of successive trains. The band of the centre line gets the effective
 * echo. The others follow in order and begin anew where the train ends (linear), where that seam lies
 * at least a quarter of the bands from the centre; else they follow by their distance from the centre
 * (centric), as a short effective echo time asks for. (Hennig 1986, doi 10.1002/mrm.1910030602.)
 */
export interface EchoPlace {
  readonly line: number;
  /** From 0. */
  readonly train: number;
  /** From 1. */
  readonly echo: number;
}

/**
 * @param lines ascending
 * @param effectiveEcho from 1
 * @returns in the order of acquisition
 */
export function echoOrder(
  lines: readonly number[],
  centreLine: number,
  echoTrainLength: number,
  effectiveEcho: number,
): EchoPlace[] {
  const bandOf = (index: number) => Math.floor((index * echoTrainLength) / lines.length);
  const nearest = lines.reduce(
    (best, line, index) => (Math.abs(line - centreLine) < Math.abs(lines[best]! - centreLine) ? index : best),
    0,
  );
  const centreBand = bandOf(nearest);
  const echoes = echoesOfBands(echoTrainLength, centreBand, effectiveEcho);
  const inBand = new Array<number>(echoTrainLength).fill(0);
  const places = lines.map((line, index) => {
    const band = bandOf(index);
    return { line, train: inBand[band]!++, echo: echoes[band]! };
  });
  return places.sort((a, b) => a.train - b.train || a.echo - b.echo);
}

function echoesOfBands(nEchoes: number, centreBand: number, effectiveEcho: number): number[] {
  const wrapped = (steps: number) => ((((effectiveEcho - 1 + steps) % nEchoes) + nEchoes) % nEchoes) + 1;
  const bands = Array.from({ length: nEchoes }, (_, band) => band);
  const linear = bands.map((band) => wrapped(band - centreBand));
  // The seam: from the last echo to the first one, between two neighbouring bands.
  const seam = linear.findIndex((echo, band) => band > 0 && echo === 1);
  if (seam < 0 || Math.abs(seam - 0.5 - centreBand) >= nEchoes / 4) return linear;
  const byDistance = [...bands].sort((a, b) => Math.abs(a - centreBand) - Math.abs(b - centreBand) || a - b);
  return bands.map((band) => wrapped(byDistance.indexOf(band)));
}
