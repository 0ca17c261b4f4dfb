/**
 * What a phantom is made of: regions of one intensity, bounded by an ellipse or a polygon, nested in
 * each other like tissues. Plane coordinates [u, v] in mm: u along the row direction of the image
 * (its columns count up), v along the column direction (its rows count up), from the image's centre.
 */
import { simulatorError } from '../errors.js';

export type Point = readonly [number, number];

export interface Ellipse {
  readonly kind: 'ellipse';
  readonly centreMm: Point;
  readonly semiAxesMm: Point;
  /** From the u axis to the first semi-axis, towards the v axis. */
  readonly angleRad: number;
}

export interface Polygon {
  readonly kind: 'polygon';
  /** In order round the outline, either way; the outline does not cross itself. */
  readonly cornersMm: readonly Point[];
}

export type Shape = Ellipse | Polygon;

/**
 * A tissue. Children lie wholly inside their parent and do not overlap each other: then painting
 * child over parent and adding up intensity differences are the same thing, and the second one is
 * linear, which a Fourier transform needs.
 */
export interface Region {
  readonly shape: Shape;
  /** Signal; about 1 for the brightest tissue. */
  readonly intensity: number;
  readonly children?: readonly Region[];
}

/** One term of the sum that a phantom is. */
export interface WeightedShape {
  readonly shape: Shape;
  /** Intensity of the region less that of its parent. */
  readonly weight: number;
}

/**
 * The regions as a sum of shapes.
 * @param signal what becomes of an intensity, for instance at another echo time; air stays 0
 */
export function flatten(
  regions: readonly Region[],
  signal: (intensity: number) => number = (intensity) => intensity,
  parentIntensity = 0,
): WeightedShape[] {
  return regions.flatMap(({ shape, intensity, children = [] }) => [
    { shape, weight: signal(intensity) - parentIntensity },
    ...flatten(children, signal, signal(intensity)),
  ]);
}

/** @throws SIM_ERR_SHAPE */
export function ellipse(centreMm: Point, semiAxesMm: Point, angleRad = 0): Ellipse {
  if (!semiAxesMm.every((axis) => axis > 0)) {
    throw simulatorError('SIM_ERR_SHAPE', `semi-axes of ${semiAxesMm.join(' and ')} mm`);
  }
  return { kind: 'ellipse', centreMm, semiAxesMm, angleRad };
}

/** @throws SIM_ERR_SHAPE */
export function polygon(cornersMm: readonly Point[]): Polygon {
  if (cornersMm.length < 3) throw simulatorError('SIM_ERR_SHAPE', `a polygon of ${cornersMm.length} corners`);
  return { kind: 'polygon', cornersMm };
}

/**
 * A rounded box, |x/a|^n + |y/b|^n = 1, as a polygon of `nCorners`; the higher the exponent n, the
 * sharper the edges of the box.
 */
export function roundedBox(
  centreMm: Point,
  [a, b]: Point,
  { exponent = 4, angleRad = 0, nCorners = 24 }: { exponent?: number; angleRad?: number; nCorners?: number } = {},
): Polygon {
  const power = (x: number) => Math.sign(x) * Math.abs(x) ** (2 / exponent);
  const [cos, sin] = [Math.cos(angleRad), Math.sin(angleRad)];
  const corners = Array.from({ length: nCorners }, (_, corner): Point => {
    const t = (2 * Math.PI * (corner + 0.5)) / nCorners;
    const [x, y] = [a * power(Math.cos(t)), b * power(Math.sin(t))];
    return [centreMm[0] + x * cos - y * sin, centreMm[1] + x * sin + y * cos];
  });
  return polygon(corners);
}

/** A band of varying width about a centre line, as a polygon; widths are measured along u. */
export function band(centreLine: readonly { readonly pointMm: Point; readonly widthMm: number }[]): Polygon {
  const side = (sign: 1 | -1) =>
    centreLine.map(({ pointMm: [u, v], widthMm }): Point => [u + (sign * widthMm) / 2, v]);
  return polygon([...side(-1), ...side(1).reverse()]);
}

/** Area, mm². */
export function areaMm2(shape: Shape): number {
  return shape.kind === 'ellipse'
    ? Math.PI * shape.semiAxesMm[0] * shape.semiAxesMm[1]
    : Math.abs(signedAreaMm2(shape));
}

/** Positive where the corners run from the u axis towards the v axis. */
export function signedAreaMm2({ cornersMm }: Polygon): number {
  let twice = 0;
  cornersMm.forEach(([u, v], index) => {
    const [nextU, nextV] = cornersMm[(index + 1) % cornersMm.length]!;
    twice += u * nextV - nextU * v;
  });
  return twice / 2;
}

/** Whether a point lies in the shape. */
export function contains(shape: Shape, [u, v]: Point): boolean {
  if (shape.kind === 'ellipse') {
    const [du, dv] = [u - shape.centreMm[0], v - shape.centreMm[1]];
    const [cos, sin] = [Math.cos(shape.angleRad), Math.sin(shape.angleRad)];
    const x = (du * cos + dv * sin) / shape.semiAxesMm[0];
    const y = (dv * cos - du * sin) / shape.semiAxesMm[1];
    return x * x + y * y <= 1;
  }
  const { cornersMm } = shape;
  let inside = false;
  for (let corner = 0, previous = cornersMm.length - 1; corner < cornersMm.length; previous = corner++) {
    const [u1, v1] = cornersMm[previous]!;
    const [u2, v2] = cornersMm[corner]!;
    if (v1 > v !== v2 > v && u < u1 + ((v - v1) / (v2 - v1)) * (u2 - u1)) inside = !inside;
  }
  return inside;
}

/** The smallest upright box round a shape: [smallest u, v], [largest u, v], mm. */
export function boundsMm(shape: Shape): readonly [Point, Point] {
  if (shape.kind === 'ellipse') {
    const { centreMm, semiAxesMm, angleRad } = shape;
    const [cos, sin] = [Math.cos(angleRad), Math.sin(angleRad)];
    const halfU = Math.hypot(semiAxesMm[0] * cos, semiAxesMm[1] * sin);
    const halfV = Math.hypot(semiAxesMm[0] * sin, semiAxesMm[1] * cos);
    return [
      [centreMm[0] - halfU, centreMm[1] - halfV],
      [centreMm[0] + halfU, centreMm[1] + halfV],
    ];
  }
  const us = shape.cornersMm.map(([u]) => u);
  const vs = shape.cornersMm.map(([, v]) => v);
  return [
    [Math.min(...us), Math.min(...vs)],
    [Math.max(...us), Math.max(...vs)],
  ];
}
