/**
 * Tiny ONNX graphs, written as the protobuf messages that they are (onnx.proto of the ONNX project, IR version 8),
 * so that no binary has to be kept. They work on "image" and "noise" like a denoiser, and misbehave on purpose.
 */
const float32Type = 1;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}
const int = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)]);
const bytes = (field: number, value: Uint8Array) => Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(value.length)]), value]);
const text = (field: number, value: string) => bytes(field, Buffer.from(value));
const message = (field: number, ...parts: Buffer[]) => bytes(field, Buffer.concat(parts));

type Size = number | string;

const attributeOf = {
  int: (name: string, value: number) => message(5, text(1, name), int(3, value), int(20, 2)),
  ints: (name: string, values: number[]) => message(5, text(1, name), ...values.map((value) => int(8, value)), int(20, 7)),
  graph: (name: string, graph: Buffer) => message(5, text(1, name), bytes(6, graph), int(20, 5)),
};

const node = (operator: string, inputs: string[], outputs: string[], ...attributes: Buffer[]) =>
  message(1, ...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name)), text(4, operator), ...attributes);

const elementTypes = { float32: float32Type, int64: 7, bool: 9 } as const;

function constant(name: string, type: keyof typeof elementTypes, dims: number[], values: number[]): Buffer {
  const raw = { float32: () => new Float32Array(values), int64: () => new BigInt64Array(values.map(BigInt)), bool: () => new Uint8Array(values) }[type]();
  return message(5, ...dims.map((size) => int(1, size)), int(2, elementTypes[type]), text(8, name), bytes(9, new Uint8Array(raw.buffer)));
}

function port(field: 11 | 12, name: string, type: keyof typeof elementTypes, shape?: Size[]): Buffer {
  const dims = shape?.map((size) => message(1, typeof size === 'number' ? int(1, size) : text(2, size)));
  return message(field, text(1, name), message(2, message(1, int(1, elementTypes[type]), ...(dims === undefined ? [] : [message(2, ...dims)]))));
}

function model(graph: Buffer[]): Buffer {
  return Buffer.concat([int(1, 8), message(7, ...graph, text(2, 'test')), message(8, text(1, ''), int(2, 17))]);
}

const imageShape: Size[] = ['n', 2, 'rows', 'columns'];
const noiseShape: Size[] = ['n', 1, 'rows', 'columns'];
const inputs = [port(11, 'image', 'float32', imageShape), port(11, 'noise', 'float32', noiseShape)];

/** A denoiser of images of two channels whose middle is what is given; "noise" is read, as graphs may not drop an input. */
function denoiser(middle: Buffer[], outputShape: Size[] | undefined = imageShape): Buffer {
  return model([...middle, ...inputs, port(12, 'denoised', 'float32', outputShape)]);
}

/** image + 0 noise */
export const identity = () => denoiser([constant('zero', 'float32', [], [0]), node('Mul', ['noise', 'zero'], ['nothing']), node('Add', ['image', 'nothing'], ['denoised'])]);

/** image - noise / 2 */
export const halfTheNoise = () => denoiser([constant('half', 'float32', [], [0.5]), node('Mul', ['noise', 'half'], ['part']), node('Sub', ['image', 'part'], ['denoised'])]);

/** Not a number where the image is above 1000. */
export const notANumberAboveThousand = () =>
  denoiser([
    constant('thousand', 'float32', [], [1000]), constant('zero', 'float32', [], [0]),
    node('Sub', ['thousand', 'image'], ['below']), node('Sqrt', ['below'], ['root']), node('Mul', ['root', 'zero'], ['bad']),
    node('Mul', ['noise', 'zero'], ['nothing']), node('Add', ['image', 'nothing'], ['same']), node('Add', ['same', 'bad'], ['denoised']),
  ]);

export const alwaysNotANumber = () =>
  denoiser([constant('zero', 'float32', [], [0]), node('Mul', ['image', 'zero'], ['nothing']), node('Div', ['nothing', 'nothing'], ['bad']), node('Add', ['bad', 'noise'], ['denoised'])]);

/** Twice as many images as went in; the graph does not say. */
export const twiceAsMany = () => denoiser([node('Add', ['image', 'noise'], ['once']), node('Concat', ['once', 'once'], ['denoised'], attributeOf.int('axis', 0))], undefined);

/** Declares one channel in place of two. */
export const oneChannel = () =>
  model([node('Identity', ['noise'], ['denoised']), port(11, 'image', 'float32', noiseShape), port(11, 'noise', 'float32', noiseShape), port(12, 'denoised', 'float32', noiseShape)]);

/**
 * A network of synthesis: the same tissue everywhere, whatever the images and the exam, of which it doubts nothing, and images of one brightness.
 * @param maps ln PD, ln T1, ln T2, logit of the fat fraction
 */
export const oneTissue = (maps: readonly [number, number, number, number] = [0, Math.log(900), Math.log(80), -2], spread = 0.1) =>
  model([
    constant('zero', 'float32', [], [0]), constant('tissue', 'float32', [1, 4, 1, 1], [...maps]), constant('width', 'float32', [], [spread]),
    node('Mul', ['images', 'zero'], ['noImages']), node('Concat', ['exam', 'target'], ['numbers'], attributeOf.int('axis', 1)),
    node('Mul', ['numbers', 'zero'], ['noNumbers']), node('ReduceMax', ['noNumbers'], ['nothing'], attributeOf.int('keepdims', 0)),
    node('Add', ['noImages', 'tissue'], ['filled']), node('Add', ['filled', 'nothing'], ['maps']),
    node('Concat', ['maps', 'maps'], ['both'], attributeOf.int('axis', 1)), node('Mul', ['both', 'zero'], ['flat']), node('Add', ['flat', 'width'], ['spread']),
    constant('halving', 'float32', [2, 4, 2, 2], new Array<number>(32).fill(0)), constant('sure', 'float32', [2], [-20, 0]),
    node('Conv', ['images', 'halving', 'sure'], ['doubt'], attributeOf.ints('strides', [2, 2])),
    constant('pair', 'float32', [2, 4, 1, 1], new Array<number>(8).fill(0)), constant('brightness', 'float32', [2], [0.1, 0.1]),
    node('Conv', ['images', 'pair', 'brightness'], ['contrasts']),
    port(11, 'images', 'float32', ['n', 4, 'rows', 'columns']), port(11, 'exam', 'float32', ['n', 18]), port(11, 'target', 'float32', ['n', 8]),
    port(12, 'maps', 'float32', ['n', 4, 'rows', 'columns']), port(12, 'spread', 'float32', ['n', 8, 'rows', 'columns']),
    port(12, 'doubt', 'float32', ['n', 2, 'halfRows', 'halfColumns']), port(12, 'contrasts', 'float32', ['n', 2, 'rows', 'columns']),
  ]);

/** What its manifest says of it. */
export const synthesisManifest = {
  task: 'synthesis' as const,
  inputs: {
    images: { shape: ['n', 4, 'rows', 'columns'], unit: '1', meaning: 'images' }, exam: { shape: ['n', 18], unit: '1', meaning: 'exam' }, target: { shape: ['n', 8], unit: '1', meaning: 'wanted images' },
  },
  outputs: {
    maps: { shape: ['n', 4, 'rows', 'columns'], unit: '1', meaning: 'maps' }, spread: { shape: ['n', 8, 'rows', 'columns'], unit: '1', meaning: 'spread' },
    doubt: { shape: ['n', 2, 'halfRows', 'halfColumns'], unit: '1', meaning: 'doubt' }, contrasts: { shape: ['n', 2, 'rows', 'columns'], unit: '1', meaning: 'images' },
  },
  patch: { multipleOf: 16 },
};

/** A synthetic CT: so many HU a unit of T1w and of T2w, and everywhere 40 HU to either side. */
export const brightnessAsHu = (hu: readonly [number, number] = [-200, 300]) =>
  model([
    constant('ofImages', 'float32', [1, 2, 1, 1], [...hu]), constant('ofMaps', 'float32', [1, 4, 1, 1], [0, 0, 0, 0]), constant('width', 'float32', [], [Math.log(40)]),
    node('Conv', ['images', 'ofImages'], ['bright']), node('Conv', ['maps', 'ofMaps'], ['nothing']),
    node('Add', ['bright', 'nothing'], ['hounsfield']), node('Add', ['nothing', 'width'], ['spread']),
    port(11, 'images', 'float32', ['n', 2, 'rows', 'columns']), port(11, 'maps', 'float32', ['n', 4, 'rows', 'columns']),
    port(12, 'hounsfield', 'float32', ['n', 1, 'rows', 'columns']), port(12, 'spread', 'float32', ['n', 1, 'rows', 'columns']),
  ]);

/** What its manifest says of it. */
export const ctManifest = {
  task: 'synthesis' as const,
  inputs: { images: { shape: ['n', 2, 'rows', 'columns'], unit: '1', meaning: 'images' }, maps: { shape: ['n', 4, 'rows', 'columns'], unit: '1', meaning: 'maps' } },
  outputs: { hounsfield: { shape: ['n', 1, 'rows', 'columns'], unit: 'HU', meaning: 'CT number' }, spread: { shape: ['n', 1, 'rows', 'columns'], unit: 'ln(HU)', meaning: 'width' } },
  patch: { multipleOf: 32 },
};

export const otherNames = () => model([node('Relu', ['picture'], ['denoised']), port(11, 'picture', 'float32', imageShape), port(12, 'denoised', 'float32', imageShape)]);

/** Adds each pixel's neighbours with weights that differ, zeros beyond the border: shift-invariant inside. */
export const smoothing = () =>
  denoiser([
    constant('kernel', 'float32', [2, 3, 3, 3], Array.from({ length: 54 }, (_, index) => Math.sin(index + 1))),
    node('Concat', ['image', 'noise'], ['both'], attributeOf.int('axis', 1)),
    node('Conv', ['both', 'kernel'], ['denoised'], attributeOf.ints('pads', [1, 1, 1, 1])),
  ]);

/** A loop that never ends where the image is above 1000, else the image. */
export const hangsAboveThousand = () => denoiser(loop([constant('thousand', 'float32', [], [1000]), node('ReduceMax', ['image'], ['largest'], attributeOf.int('keepdims', 0)), node('Greater', ['largest', 'thousand'], ['goesOn'])], ''));

export const alwaysHangs = () => denoiser(loop([constant('goesOn', 'bool', [], [1])], ''));

/** The image, after so many rounds of a small loop. */
export const rounds = (count: number) => denoiser(loop([constant('goesOn', 'bool', [], [1]), constant('count', 'int64', [], [count])], 'count'));

function loop(before: Buffer[], count: string): Buffer[] {
  const body = Buffer.concat([
    node('Identity', ['goesOnIn'], ['goesOnOut']), node('Identity', ['imageIn'], ['imageOut']), text(2, 'body'),
    port(11, 'round', 'int64', []), port(11, 'goesOnIn', 'bool', []), port(11, 'imageIn', 'float32', imageShape),
    port(12, 'goesOnOut', 'bool', []), port(12, 'imageOut', 'float32', imageShape),
  ]);
  return [
    constant('zero', 'float32', [], [0]), ...before,
    node('Loop', [count, 'goesOn', 'image'], ['looped'], attributeOf.graph('body', body)),
    node('Mul', ['noise', 'zero'], ['nothing']), node('Add', ['looped', 'nothing'], ['denoised']),
  ];
}
