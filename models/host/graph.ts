/** Whether a graph is what its manifest says. */
import { modelError } from '../errors.js';
import type { Manifest, Port } from '../manifest.js';
import type { GraphPort } from './messages.js';

/** @throws CodedError MODEL_ERR_GRAPH */
export function checkGraph(manifest: Manifest, inputs: readonly GraphPort[], outputs: readonly GraphPort[]): void {
  checkPorts('input', manifest.inputs, inputs);
  checkPorts('output', manifest.outputs, outputs);
}

function checkPorts(kind: string, wanted: Readonly<Record<string, Port>>, found: readonly GraphPort[]): void {
  const names = found.map(({ name }) => name).sort();
  const wantedNames = Object.keys(wanted).sort();
  if (names.join() !== wantedNames.join()) {
    throw modelError('MODEL_ERR_GRAPH', `${kind}s "${names.join('", "')}" in place of "${wantedNames.join('", "')}"`);
  }
  for (const { name, type, shape } of found) {
    if (type !== 'float32') throw modelError('MODEL_ERR_GRAPH', `the ${kind} "${name}" of type ${type}`);
    const wish = wanted[name]!.shape;
    // Runtimes lose the shapes of some outputs; the first run tells them.
    if (shape.length === 0 && kind === 'output') continue;
    const fits = shape.length === wish.length && shape.every((size, axis) => typeof size !== 'number' || size === wish[axis]);
    if (!fits) throw modelError('MODEL_ERR_GRAPH', `the ${kind} "${name}" of shape [${shape.map((size) => size ?? '?').join(', ')}] in place of [${wish.join(', ')}]`);
  }
}
