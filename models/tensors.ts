/** Arrays that go into a model and come out of it, and whether they are what its manifest says. */
import { modelError } from './errors.js';
import type { ModelErrorCode } from './errors.js';
import type { Manifest, Port } from './manifest.js';

/** Row-major; as many values as the product of dims. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}
export type Tensors = Readonly<Record<string, Tensor>>;

/** What each name of a shape stands for in one run. */
export type Sizes = ReadonlyMap<string, number>;

const count = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1);

/**
 * @returns the sizes that the inputs give to the names of their shapes
 * @throws CodedError MODEL_ERR_INPUT where inputs are missing, too many, or of another shape
 */
export function checkInputs({ inputs: ports, patch }: Manifest, inputs: Tensors): Sizes {
  const sizes = checkAll(ports, inputs, new Map(), 'MODEL_ERR_INPUT');
  for (const name of ['rows', 'columns']) {
    const size = sizes.get(name);
    if (size !== undefined && size % patch.multipleOf !== 0) throw modelError('MODEL_ERR_INPUT', `${size} ${name}, no multiple of ${patch.multipleOf}`);
  }
  return sizes;
}

/** @throws CodedError MODEL_ERR_OUTPUT_SHAPE, MODEL_ERR_OUTPUT_NAN */
export function checkOutputs({ outputs: ports }: Manifest, outputs: Tensors, sizes: Sizes): void {
  checkAll(ports, outputs, sizes, 'MODEL_ERR_OUTPUT_SHAPE');
  for (const [name, { data }] of Object.entries(outputs)) {
    // Of finite numbers this is zero, and found faster than by asking each of them.
    let sum = 0;
    for (let index = 0; index < data.length; index++) sum += data[index]! - data[index]!;
    if (sum === 0) continue;
    const nBad = data.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0);
    throw modelError('MODEL_ERR_OUTPUT_NAN', `${nBad} of ${data.length} values of "${name}" that are not finite`);
  }
}

function checkAll(ports: Readonly<Record<string, Port>>, tensors: Tensors, known: Sizes, code: ModelErrorCode): Map<string, number> {
  const names = Object.keys(tensors);
  const wanted = Object.keys(ports);
  if (names.length !== wanted.length || wanted.some((name) => !names.includes(name))) {
    throw modelError(code, `"${names.join('", "')}" in place of "${wanted.join('", "')}"`);
  }
  const sizes = new Map(known);
  for (const [name, { shape }] of Object.entries(ports)) {
    const { dims, data } = tensors[name]!;
    const isRight =
      dims.length === shape.length &&
      data.length === count(dims) &&
      shape.every((wish, axis) => {
        const size = dims[axis]!;
        if (!Number.isInteger(size) || size < 1) return false;
        if (typeof wish === 'number') return size === wish;
        if (!sizes.has(wish)) sizes.set(wish, size);
        return sizes.get(wish) === size;
      });
    if (!isRight) throw modelError(code, `"${name}" as [${dims.join(', ')}] of ${data.length} values in place of [${shape.map((wish) => (typeof wish === 'number' ? wish : `${wish} = ${sizes.get(wish) ?? 'any'}`)).join(', ')}]`);
  }
  return sizes;
}

/**
 * Smooth positive values, for a first run: positive, because noise maps are.
 * @param sizes of the names of shapes; small ones where they are absent
 */
export function trialInputs({ inputs, patch }: Manifest, sizes: Readonly<Record<string, number>> = {}): Tensors {
  const side = patch.size ?? Math.ceil(64 / patch.multipleOf) * patch.multipleOf;
  const sizeOf = (wish: number | string) => (typeof wish === 'number' ? wish : (sizes[wish] ?? (wish === 'n' ? 1 : side)));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => {
      const dims = shape.map(sizeOf);
      return [name, { dims, data: Float32Array.from({ length: count(dims) }, (_, index) => 1 + 0.5 * Math.sin(0.1 * index)) }];
    }),
  );
}
