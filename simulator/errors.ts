/** Errors of the simulator. */
import { errorsOf, type ErrorTable } from 'ismrmrd';

export const SIM_ERRORS = {
  SIM_ERR_OPTION: {
    expected: 'simulator options inside the ranges that their documentation gives',
    action: 'change the named option',
  },
  SIM_ERR_SHAPE: {
    expected: 'polygons of at least three corners, tubes of at least two points, and sizes above zero',
    action: 'correct the phantom',
  },
  SIM_ERR_PLANE: {
    expected: 'a plane of 1 to 2^26 pixels with two steps above zero at right angles, and channels of its size',
    action: 'correct the grid on which the anatomy is painted',
  },
  SIM_ERR_SPINE: {
    expected: 'a spine whose vertebrae and segments have the names and sizes that simulator/spine/plan.ts describes',
    action: 'correct the plan, or name a vertebra or segment that it has',
  },
  SIM_ERR_TISSUE: {
    expected: 'an anatomy that describes every tissue which its structures name',
    action: 'add the tissue to the anatomy: what has none would be air',
  },
  SIM_ERR_NOT_POSITIVE_DEFINITE: {
    expected: 'a Hermitian, positive definite matrix',
    action: 'give the noise covariance as E[n nᴴ] with a positive variance on every channel',
  },
  SIM_ERR_PATHOLOGY: {
    expected: 'pathologies as kind[:level][:grade][:key=value], parted by commas, that the spine at hand can have',
    action: 'correct the request; docs/simulator.md lists every kind with its grades and keys',
  },
} as const satisfies ErrorTable;

export type SimulatorErrorCode = keyof typeof SIM_ERRORS;

export const simulatorError = errorsOf(SIM_ERRORS);
