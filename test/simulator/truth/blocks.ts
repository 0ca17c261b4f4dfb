/** A spine of blocks whose every measure is known: two bodies, a disc, a sac, facets, foramina, in a tilted frame. */
import { tissueAt, tissueNames } from '../../../imaging/index.js';
import { cuboid, ellipseOutline, moved, placed, prism, type Anatomy, type Frame, type Solid, type Structure } from '../../../simulator/anatomy/index.js';
import { archLabel, bodyLabel, discLabel, facetLabel, foramenLabel, spineLabels, type SegmentSite } from '../../../simulator/spine/index.js';

export interface Blocks {
  readonly widthMm: number;
  readonly depthMm: number;
  readonly bodyMm: number;
  readonly discMm: number;
  /** Of the upper body. */
  readonly upperMm: number;
  /** Of the upper body, forwards. */
  readonly slipMm: number;
  readonly bulgeMm: number;
  readonly herniaMm: readonly [base: number, depth: number, height: number];
  readonly sacApMm: number;
  readonly sacTransverseMm: number;
  readonly epiduralMm: number;
  readonly recessMm: number;
  readonly foramenMm: number;
  readonly jointMm: number;
  readonly nucleus: 'nucleus' | 'degeneratedNucleus';
}

export const plainBlocks: Blocks = {
  widthMm: 44, depthMm: 34, bodyMm: 27, discMm: 9, upperMm: 27, slipMm: 0, bulgeMm: 0, herniaMm: [0, 0, 0],
  sacApMm: 13, sacTransverseMm: 17, epiduralMm: 2, recessMm: 6, foramenMm: 7, jointMm: 2.5, nucleus: 'nucleus',
};

/** Tilted about two axes and off the centre. */
export const tiltedFrame: Frame = (() => {
  const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
  const [d, t] = [Math.cos(0.12), Math.sin(0.12)];
  return { originMm: [7, -12, 31], x: [d, 0, -t], y: [s * t, c, s * d], z: [c * t, -s, c * d] };
})();

export function blockSpine(blocks: Blocks = plainBlocks, frame: Frame = tiltedFrame): { anatomy: Anatomy; site: SegmentSite; upper: Frame; lower: Frame } {
  const { widthMm: w, depthMm: d, bodyMm, discMm, upperMm, slipMm, sacApMm, sacTransverseMm, epiduralMm, recessMm, foramenMm, jointMm } = blocks;
  const structures: Structure[] = [];
  const add = (name: string, solid: Solid, tissue: string, label: number) => structures.push({ name, solid: placed(frame, solid), tissue, label });
  const box = (x: number, y: number, z: number, sizes: readonly [number, number, number]) => moved([x, y, z], cuboid([sizes[0] / 2, sizes[1] / 2, sizes[2] / 2]));
  const back = d / 2;

  add('muscle', box(0, 10, 0, [140, 140, 140]), 'muscle', 22);
  add('epidural fat', box(0, back + (sacApMm + 2 * epiduralMm) / 2, 0, [sacTransverseMm + 12, sacApMm + 2 * epiduralMm, 80]), 'epiduralFat', spineLabels.epiduralFat);
  for (const [side, out] of [['left', 1], ['right', -1]] as const) {
    const x = out * (sacTransverseMm / 2 + 12);
    add(`foramen ${side}`, box(x, back + foramenMm / 2, 0, [12, foramenMm, 20]), 'epiduralFat', foramenLabel('L4-L5', side));
    add(`arch ${side}`, box(x, back + foramenMm + 10, 0, [12, 20, 30]), 'cortex', archLabel('L5'));
    add(`process ${side}`, box(out * (sacTransverseMm / 2 + 3), back + recessMm + 10, 0, [6, 20, 30]), 'cortex', archLabel('L5'));
    add(`joint ${side}`, box(x, back + foramenMm + 10, 0, [8, jointMm, 16]), 'cartilage', facetLabel('L4-L5', side));
  }
  add('sac', moved([0, back + epiduralMm + sacApMm / 2, 0], prism(ellipseOutline(sacTransverseMm / 2, sacApMm / 2), () => -40, () => 40, { base: -40, top: 40 })), 'csf', spineLabels.csf);
  add('disc', box(0, 0, 0, [w + 2 * blocks.bulgeMm, d + 2 * blocks.bulgeMm, discMm]), 'annulus', discLabel('L4-L5'));
  add('nucleus', box(0, 0, 0, [0.6 * w, 0.6 * d, discMm]), blocks.nucleus, discLabel('L4-L5'));
  const [base, depth, height] = blocks.herniaMm;
  if (depth > 0) add('hernia', box(0, back + depth / 2 - 1, 0, [base, depth + 2, height]), 'hernia', discLabel('L4-L5'));
  const body = (z: number, y: number, h: number) => box(0, y, z, [w, d, h]);
  add('upper body', body(discMm / 2 + upperMm / 2, -slipMm, upperMm), 'cancellousBone', bodyLabel('L4'));
  add('lower body', body(-discMm / 2 - bodyMm / 2, 0, bodyMm), 'cancellousBone', bodyLabel('L5'));

  const at = (x: number, y: number, z: number): Frame => ({
    ...frame,
    originMm: [0, 1, 2].map((axis) => frame.originMm[axis]! + x * frame.x[axis]! + y * frame.y[axis]! + z * frame.z[axis]!) as [number, number, number],
  });
  const beside = (out: 1 | -1) => sacTransverseMm / 2 * out + out * 12;
  const site = {
    plan: { name: 'L4-L5' },
    frame,
    halfWidthMm: w / 2,
    halfDepthMm: d / 2,
    facets: { left: at(beside(1), back + foramenMm + 10, 0), right: at(beside(-1), back + foramenMm + 10, 0) },
    foramina: { left: at(beside(1), back + foramenMm / 2, 0), right: at(beside(-1), back + foramenMm / 2, 0) },
  } as unknown as SegmentSite;
  return {
    anatomy: { structures, tissues: new Map(tissueNames.map((name) => [name, tissueAt(name, 1.5)])) },
    site,
    upper: at(0, -slipMm, discMm / 2 + upperMm / 2),
    lower: at(0, 0, -discMm / 2 - bodyMm / 2),
  };
}
