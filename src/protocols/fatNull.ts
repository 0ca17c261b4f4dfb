/** Where fat gives no signal, from the tissue table. */
import { fatAt, ImagingError, nullingInversionTimeMs } from '../../imaging/index.js';
import type { FatNull } from '../../protocols/index.js';

/** Where the train leaves no room for the null in TR, the null after full recovery: the scan times then refuse the train. */
export const fatNull: FatNull = (sequence, fieldStrengthT) => {
  const { t1Ms } = fatAt(fieldStrengthT);
  try {
    return nullingInversionTimeMs(t1Ms, sequence);
  } catch (error) {
    if (error instanceof ImagingError) return t1Ms * Math.LN2;
    throw error;
  }
};
