/**
 * What noise maps by pseudo-replicas are made with: noise in place of data, and the mean over neighbours.
 *
 * Any noise of the right variance serves a linear reconstruction: that of random signs (real and imaginary part +-1)
 * settles soonest. Hutchinson MF. Commun Stat Simul Comput 1989;18:1059-1076. doi:10.1080/03610918908812806
 */
import type { SenseModel } from './types.js';

/** Fills data, complex64 [nCoils, nRows, nColumns], with noise; all that it draws is the same every time. */
export type NoiseSource = (data: Float32Array) => void;

/** @param deviation standard deviation of the real part of a single readout's samples */
export function noiseOfSamples({ nRows, nColumns, weights }: SenseModel, deviation: number): NoiseSource {
  const nPixels = nRows * nColumns;
  const each = nPixels / weights.length;
  const deviations = weights.map((weight) => (weight > 0 ? deviation / Math.sqrt(weight) : 0));
  const signs = signSource();
  return (data) => {
    for (let i = 0; i < data.length / 2; i++) {
      const ofSample = deviations[Math.floor((i % nPixels) / each)]!;
      data[2 * i] = ofSample * signs();
      data[2 * i + 1] = ofSample * signs();
    }
  };
}

/** What is done to each replica as it is to the data and the image: linear, in place. */
export interface ReplicaSteps {
  /** Address of complex64 [nCoils, nRows, nColumns]; white noise gets the colour that the data's has. */
  onSamples(data: number): void;
  /** Address of complex64 [nSets, nRows, nColumns]: what becomes of the solution on its way to the image, which comes to be the first. */
  onImage(image: number): void;
}

/** Means over the window of each pixel that is not zero, over its neighbours that are not. */
export function localMeans(values: Float32Array, nRows: number, nColumns: number, halfWindow: number): Float32Array {
  return values.map((own, at) => {
    if (own === 0) return 0;
    const [row, column] = [Math.floor(at / nColumns), at % nColumns];
    let sum = 0;
    let count = 0;
    for (let r = Math.max(0, row - halfWindow); r <= Math.min(nRows - 1, row + halfWindow); r++) {
      for (let c = Math.max(0, column - halfWindow); c <= Math.min(nColumns - 1, column + halfWindow); c++) {
        const value = values[r * nColumns + c]!;
        if (value === 0) continue;
        sum += value;
        count++;
      }
    }
    return sum / count;
  });
}

/** +1 and -1 without order, the same every time: bits of a xorshift generator (Marsaglia 2003, doi 10.18637/jss.v008.i14). */
function signSource(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0x100 ? 1 : -1;
  };
}
