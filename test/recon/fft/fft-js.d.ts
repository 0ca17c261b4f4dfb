declare module 'fft.js' {
  /** Plain complex FFT of a power of two, neither centred nor scaled. */
  export default class FFT {
    constructor(size: number);
    createComplexArray(): number[];
    transform(out: number[], data: ArrayLike<number>): void;
  }
}
