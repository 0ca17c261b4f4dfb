/** What lies on the table: something that can be painted in Hounsfield units. */
import { simulatorError } from '../errors.js';
import { boxAround, paintChannels, type Anatomy, type Box, type Plane } from '../anatomy/index.js';

export interface ScannedBody {
  /** All that is not air lies within; LPS, mm. */
  readonly bounds: Box;
  /** Adds `weight` times (HU + 1000), so that air adds nothing, to float32 [row, column]. */
  paint(plane: Plane, image: Float32Array, weight: number): void;
}

/** An anatomy as CT sees it. @throws SIM_ERR_TISSUE; SIM_ERR_PLANE from `paint`, for a plane out of range */
export function bodyOf(anatomy: Anatomy): ScannedBody {
  for (const { name, tissue, texture } of anatomy.structures) {
    const unknown = [tissue, texture?.tissue ?? tissue].find((used) => !anatomy.tissues.has(used));
    if (unknown !== undefined) throw simulatorError('SIM_ERR_TISSUE', `${unknown} in ${name}`);
  }
  const coefficients = new Map(
    [...anatomy.tissues].map(([name, { hounsfield }]) => [name, [Math.max(0, hounsfield + 1000)]]),
  );
  return {
    bounds: boxAround(anatomy.structures.map(({ solid }) => solid.bounds)),
    paint: (plane, image, weight) => paintChannels(anatomy, plane, coefficients, [image], weight),
  };
}
