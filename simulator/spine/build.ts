/**
 * From a plan to an anatomy. In painting order:
 *
 *   surroundings, ligaments between spinous processes, foramina with their fat, ligamenta flava, the canal's fat,
 *   long ligaments, discs [discs], bodies [bodies], herniated disc, arches, joints [bones], roots outside the sac,
 *   dura, CSF [sac], cauda equina, cord [cord] [top]
 *
 * In brackets: where lesions come in (scene.ts). So bone cuts discs, discs cut the canal's fat, and the sac keeps
 * clear of what displaces it.
 */
import { tissueAt, tissueNames, tissueVariation, type FieldStrengthT, type Tissue, type TissueName, type Vector3 } from '../../imaging/index.js';
import {
  cuboid, difference, ellipsoid, intersection, offset, outOfFrame, placed, smoothUnion, tube, union,
  type Anatomy, type Frame, type Solid, type Structure, type Texture,
} from '../anatomy/index.js';
import { Random } from '../random.js';
import { simulatorError } from '../errors.js';
import { align, posteriorWallMm, type Alignment } from './alignment.js';
import { archSolid, facetFrames, jointSolids, sign, type ArchNeighbours } from './arch.js';
import { atlasSolid } from './atlas.js';
import { axisSolid, bodySolid } from './body.js';
import { besideSacMm, buildCanal, recessWidthMm, type Canal } from './canal.js';
import { discSolids, discStructures, herniationSolid, type DiscSolids } from './disc.js';
import { archLabel, bodyLabel, discLabel, facetLabel, foramenLabel, spineLabels } from './labels.js';
import { interspinousLigaments, longLigaments } from './ligaments.js';
import { perSide, sides, vertebraOf, type PerSide, type SegmentPlan, type Side, type SpinePlan, type SpineRegion, type VertebraPlan } from './plan.js';
import { seedOf } from './population.js';
import { caudaEquina, foraminalRoot, foraminalVeins } from './roots.js';
import { lateralMass } from './sacrum.js';
import type { Layer, LesionBuilder, LesionPaint, SegmentSite, SpineScene, VertebraSite } from './scene.js';
import { ColumnCourse, surroundings, type Station } from './surroundings/index.js';

export interface BuildOptions {
  readonly fieldStrengthT: FieldStrengthT;
  /** By the kind of the lesions in the plan. */
  readonly lesionBuilders?: Readonly<Record<string, LesionBuilder>>;
  /** False: the column alone. */
  readonly surroundings?: boolean;
}

export interface BuiltSpine {
  readonly anatomy: Anatomy;
  readonly scene: SpineScene;
}

/** First and last vertebra that are built: a little past the field that is scanned. */
const extents: Readonly<Record<SpineRegion, readonly [string, string]>> = {
  cervical: ['C2', 'T7'],
  thoracolumbar: ['T3', 'Co1'],
  lumbar: ['T8', 'Co1'],
  whole: ['C2', 'Co1'],
};

/** Fat fractions of red and yellow marrow in the tissue table: a plan's marrow is a mixture of them. */
const [redFat, yellowFat] = [0.25, 0.85];

/** Names of the vertebrae that buildSpine builds of a plan, from the top down. */
export function builtVertebrae({ vertebrae, region }: SpinePlan): string[] {
  const names = vertebrae.map(({ name }) => name);
  const [first, last] = extents[region];
  return names.slice(names.indexOf(first), names.indexOf(last) + 1);
}

/** @throws SIM_ERR_SPINE where a lesion's kind has no builder or the plan cannot be built */
export function buildSpine(plan: SpinePlan, options: BuildOptions): BuiltSpine {
  const alignment = align(plan);
  const canal = buildCanal(plan, alignment);
  const names = builtVertebrae(plan);
  const seedFor = (name: string) => seedOf(plan.seed, name);

  const segments = plan.segments.filter(({ name }) => name.split('-').every((vertebra) => names.includes(vertebra)));
  const joints = new Map(plan.segments.map((segment) => [segment.name, segmentGeometry(plan, segment, alignment)]));
  const vertebraSites = new Map(names.map((name) => [name, vertebraSite(plan, name, alignment, joints, canal, seedFor)]));
  const segmentSites = new Map(segments.map((segment) => [segment.name, segmentSite(segment, joints.get(segment.name)!)]));
  const scene: SpineScene = {
    plan,
    vertebrae: vertebraSites,
    segments: segmentSites,
    frames: alignment.vertebrae,
    canalLine: canal.line,
    sac: canal.sac,
    cord: canal.cord,
    seedOf: seedFor,
  };

  const lesions = plan.lesions.map((lesion): LesionPaint => {
    const builder = options.lesionBuilders?.[lesion.kind];
    if (builder === undefined) throw simulatorError('SIM_ERR_SPINE', `a lesion of the kind ${lesion.kind}, which nobody builds`);
    return builder(lesion, scene);
  });
  const layer = (of: Layer) => lesions.flatMap(({ structures }) => structures[of] ?? []);

  const herniations = segments.flatMap((segment) =>
    segment.disc.herniations.map((herniation, index): Structure => {
      const { solids } = joints.get(segment.name)!;
      const name = `${segment.name} herniation ${index}`;
      const solid = herniationSolid(herniation, solids, segment.disc, seedFor(name));
      return { name, solid: placed(alignment.segments.get(segment.name)!, solid), tissue: 'hernia', label: discLabel(segment.name), edgeMm: 0.6 };
    }),
  );
  const bulging = segments.filter(({ disc, sac }) => disc.bulgeMm.posterior > sac.anteriorGapMm - 0.4);
  const masses = [
    ...herniations.map(({ solid }) => solid),
    ...bulging.map(({ name }) => segmentSites.get(name)!.disc),
    ...lesions.flatMap(({ displaces }) => displaces ?? []),
  ];
  const sac = masses.length === 0 ? canal.sac : difference(canal.sac, ...masses.map((mass) => offset(mass, 0.4)));
  const dura = masses.length === 0 ? canal.dura : difference(canal.dura, ...masses);
  const within = (solid: Solid) => (masses.length === 0 ? solid : intersection(solid, offset(sac, -0.3)));

  const shelled = names.flatMap((name) => archStructures(vertebraSites.get(name)!, canal, seedFor));
  // One after the other, so that processes that touch keep their walls; the sacrum is one bone.
  const isFused = ({ vertebra }: Shelled) => vertebra.kind === 'sacral';
  const arches = [
    ...shelled.filter((part) => !isFused(part)).flatMap(({ shell, marrow }) => [shell, marrow]),
    ...shelled.filter(isFused).map(({ shell }) => shell),
    ...shelled.filter(isFused).map(({ marrow }) => marrow),
    ...sides.filter((side) => plan.transition.castellvi[side] === 3 && names.includes('S1')).map((side): Structure => ({
      name: `bridge ${side}`, solid: lumbosacralBridge(plan, alignment, side, 5), tissue: 'redMarrow', label: archLabel('S1'),
      texture: marrowTexture(vertebraOf(plan, 'S1'), seedFor('marrow')),
    })),
  ];

  const structures: Structure[] = [
    ...(options.surroundings === false ? [] : surroundings(courseOf(plan, names, alignment), { ...plan, ...plan.habitus })),
    ...segments.flatMap(({ name }) => {
      const [upper, lower] = name.split('-').map((vertebra) => vertebraSites.get(vertebra)!) as [VertebraSite, VertebraSite];
      return lower.plan.name === 'S2' || upper.plan.kind === 'sacral' ? [] : interspinousLigaments(name, upper, lower, seedFor('interspinous'));
    }),
    ...segments.flatMap((segment) => sides.map((side) => foramen(segment, joints.get(segment.name)!, side, seedFor('foramen fat')))),
    { name: 'ligamenta flava', solid: canal.wall, tissue: 'ligamentumFlavum', label: spineLabels.ligamentumFlavum },
    {
      name: 'epidural fat', solid: canal.lumen, tissue: 'epiduralFat', label: spineLabels.epiduralFat,
      texture: { tissue: 'blood', mean: 0.1, amplitude: 0.12, scaleMm: [2, 2, 4], seed: seedFor('epidural veins') },
    },
    ...longLigaments(plan, alignment),
    ...segments.flatMap((segment) =>
      discStructures(segment, joints.get(segment.name)!.solids, (solid) => placed(alignment.segments.get(segment.name)!, solid), seedFor('disc')),
    ),
    ...layer('discs'),
    ...names.flatMap((name) => bodyShells(vertebraSites.get(name)!, seedFor)),
    ...names.flatMap((name) => bodyMarrow(vertebraSites.get(name)!, seedFor)),
    ...layer('bodies'),
    // Bone bounds what leaves the disc.
    ...herniations,
    ...arches,
    ...segments.flatMap((segment) => jointStructures(segment, joints.get(segment.name)!)),
    ...layer('bones'),
    ...segments.flatMap((segment) => sides.flatMap((side) => nerves(segment, segmentSites.get(segment.name)!, side, plan, canal, alignment))),
    { name: 'dura', solid: dura, tissue: 'duraMater' },
    { name: 'cerebrospinal fluid', solid: sac, tissue: 'csf', label: spineLabels.csf },
    ...layer('sac'),
    { name: 'cauda equina', solid: within(caudaEquina(plan, canal, seedFor('cauda'))), tissue: 'nerveRoot', edgeMm: 0.4 },
    { name: 'cord', solid: within(canal.cord), tissue: 'cordWhite', label: spineLabels.cord },
    { name: 'grey matter', solid: within(canal.grey), tissue: 'cordGrey', edgeMm: 0.6 },
    ...layer('cord'),
    ...layer('top'),
  ];
  const tissues = new Map<string, Tissue>([
    ...personsTissues(plan.seed, options.fieldStrengthT),
    ...lesions.flatMap(({ tissues: own }) => [...(own ?? [])]),
  ]);
  return { anatomy: { structures, tissues }, scene };
}

interface SegmentGeometry {
  readonly upper: VertebraPlan;
  readonly lower: VertebraPlan;
  readonly frame: Frame;
  readonly solids: DiscSolids;
  readonly halfDepthMm: number;
  /** y of the disc's margin beside the sac, and in the plane through the pedicles, where the foramen is. */
  readonly recessMarginMm: number;
  readonly lateralMarginMm: number;
  readonly facets: PerSide<Frame>;
  readonly foramina: PerSide<Frame>;
  /** Half of the distance between the pedicles above and below, along the disc's axis. */
  readonly halfHeightMm: number;
}

function segmentGeometry(plan: SpinePlan, segment: SegmentPlan, { segments }: Alignment): SegmentGeometry {
  const [upper, lower] = segment.name.split('-').map((name) => vertebraOf(plan, name)) as [VertebraPlan, VertebraPlan];
  const frame = segments.get(segment.name)!;
  const halfDepthMm = (upper.body.lowerDepthMm + lower.body.upperDepthMm) / 4;
  const half = segment.disc.posteriorHeightMm / 2;
  const above = half + upper.body.posteriorHeightMm / 2 + upper.pedicle.raisedMm - upper.pedicle.heightMm / 2;
  const below = half + lower.body.posteriorHeightMm / 2 - lower.pedicle.raisedMm - lower.pedicle.heightMm / 2;
  const solids = discSolids(segment, upper, lower);
  const lateral = (upper.canal.widthMm + lower.canal.widthMm) / 4 + (upper.pedicle.widthMm + lower.pedicle.widthMm) / 4;
  const lateralMarginMm = Math.max(halfDepthMm - 7, marginBehind(solids.outline, lateral));
  const recessMarginMm = marginBehind(solids.outline, segment.sac.transverseMm / 2 + besideSacMm + recessWidthMm / 2);
  const foramina = perSide((side): Frame => {
    const out = sign(side);
    const originMm = outOfFrame(frame, [out * lateral, lateralMarginMm + segment.foramina[side].widthMm / 2, (above - below) / 2]);
    const flipped = (v: Vector3): Vector3 => [out * v[0], out * v[1], out * v[2]];
    return { originMm, x: flipped(frame.x), y: frame.y, z: frame.z };
  });
  return {
    upper, lower, frame, halfDepthMm, recessMarginMm, lateralMarginMm, foramina, solids,
    facets: facetFrames(segment, frame, halfDepthMm, upper, lower),
    halfHeightMm: Math.max(2, (above + below) / 2),
  };
}

/** Hindmost y of an outline at x; far in front where the outline does not reach so far out. */
function marginBehind(outline: DiscSolids['outline'], x: number): number {
  let [inside, outside] = [-outline.halfDepthMm, outline.halfDepthMm];
  if (x < outline.halfWidthMm) inside = 0;
  for (let step = 0; step < 30; step++) {
    const middle = (inside + outside) / 2;
    if (outline.distanceMm(x, middle, 0) < 0) inside = middle;
    else outside = middle;
  }
  return inside;
}

function vertebraSite(
  plan: SpinePlan, name: string, alignment: Alignment, joints: ReadonlyMap<string, SegmentGeometry>, canal: Canal, seedFor: (name: string) => number,
): VertebraSite {
  const vertebra = vertebraOf(plan, name);
  const frame = alignment.vertebrae.get(name)!;
  const { body: { cortexMm, endplateMm }, kind } = vertebra;
  const rough = seedFor('endplates');
  const solidOf = kind === 'axis' ? axisSolid : bodySolid;
  const index = plan.vertebrae.indexOf(vertebra);
  const neighbour = (segment: SegmentPlan | undefined) => {
    const geometry = segment && joints.get(segment.name)!;
    return geometry && {
      segment: segment!, frame: geometry.frame, recessMarginMm: geometry.recessMarginMm, lateralMarginMm: geometry.lateralMarginMm,
      facets: geometry.facets, kind: geometry.upper.kind,
    };
  };
  const mobile = kind !== 'sacral' && kind !== 'coccygeal';
  const above = mobile || name === 'S1' ? neighbour(plan.segments[index - 1]) : undefined;
  const below = mobile ? neighbour(plan.segments[index]) : undefined;
  const neighbours: ArchNeighbours = { ...(above && { above }), ...(below && { below }) };
  const processes = archSolid(vertebra, frame, neighbours, canal.wall);
  const arch = kind === 'sacral' ? union(processes, difference(sacralMass(plan, vertebra, alignment), canal.wall)) : processes;
  return {
    plan: vertebra,
    frame,
    body: placed(frame, solidOf(vertebra, rough)),
    marrow: placed(frame, solidOf(vertebra, rough, { sideMm: cortexMm, faceMm: endplateMm })),
    arch,
    archMarrow: offset(arch, kind === 'cervical' || kind === 'axis' ? -0.75 : -1.1),
  };
}

function sacralMass(plan: SpinePlan, vertebra: VertebraPlan, alignment: Alignment): Solid {
  const frameOf = ({ name }: VertebraPlan) => alignment.vertebrae.get(name)!;
  const next = plan.vertebrae[plan.vertebrae.indexOf(vertebra) + 1]!;
  const below = next.kind === 'sacral' ? { plan: next, frame: frameOf(next) } : undefined;
  const mass = lateralMass(vertebra, frameOf(vertebra), below, vertebraOf(plan, 'S1').body.upperWidthMm);
  if (vertebra.name !== 'S1') return mass;
  const bridges = sides.filter((side) => plan.transition.castellvi[side] >= 2).map((side) => lumbosacralBridge(plan, alignment, side, 8));
  return smoothUnion(3, mass, ...bridges);
}

function segmentSite(segment: SegmentPlan, { frame, solids, halfDepthMm, facets, foramina }: SegmentGeometry): SegmentSite {
  return {
    plan: segment,
    frame,
    halfWidthMm: solids.outline.halfWidthMm,
    halfDepthMm,
    disc: placed(frame, solids.column),
    nucleus: placed(frame, solids.nucleus),
    facets,
    foramina,
    sac: { frame: { ...frame, originMm: outOfFrame(frame, [segment.sac.shiftMm, halfDepthMm + segment.sac.anteriorGapMm + segment.sac.apMm / 2, 0]) }, section: segment.sac },
  };
}

function marrowTexture({ marrow }: VertebraPlan, seed: number): Texture {
  const { fatFraction, heterogeneity, grainMm } = marrow;
  const span = yellowFat - redFat;
  return {
    tissue: 'yellowMarrow',
    mean: (fatFraction - redFat) / span,
    amplitude: heterogeneity / span,
    scaleMm: [grainMm, grainMm, 1.3 * grainMm],
    seed,
  };
}

function bodyShells({ plan, frame, body }: VertebraSite, seedFor: (name: string) => number): Structure[] {
  const { name, body: sizes, kind } = plan;
  const label = bodyLabel(name);
  const within = (kind === 'axis' ? axisSolid : bodySolid)(plan, seedFor('endplates'), { sideMm: sizes.cortexMm, faceMm: 0 });
  return [
    { name: `${name} cortex`, solid: body, tissue: 'cortex', label },
    { name: `${name} endplates`, solid: placed(frame, within), tissue: 'endplate', label },
  ];
}

function bodyMarrow({ plan, frame, marrow }: VertebraSite, seedFor: (name: string) => number): Structure[] {
  const { name, body: sizes, kind } = plan;
  const wall = posteriorWallMm(plan);
  const structures: Structure[] = [
    { name: `${name} marrow`, solid: marrow, tissue: 'redMarrow', label: bodyLabel(name), texture: marrowTexture(plan, seedFor('marrow')) },
  ];
  if (kind === 'sacral' || kind === 'coccygeal' || kind === 'axis') return structures;
  const scale = sizes.upperDepthMm / 34;
  const { focalFat } = plan.marrow;
  if (focalFat > 0.2) {
    const halo = placed({ ...frame, originMm: outOfFrame(frame, [0, wall - 9 * scale, 0]) }, ellipsoid([8 * scale, 9 * scale, 5 * scale]));
    structures.push({ name: `${name} fat round the vein`, solid: intersection(marrow, halo), tissue: 'yellowMarrow', edgeMm: 5 * scale, opacity: 0.6 * focalFat });
  }
  const vein = tube([
    { centreMm: outOfFrame(frame, [0, wall + 0.5, 0]), acrossMm: 4.8 * scale, alongMm: 2.8 * scale },
    { centreMm: outOfFrame(frame, [0, wall - 2.5 * scale, 0.2]), acrossMm: 3.2 * scale, alongMm: 1.5 * scale },
    { centreMm: outOfFrame(frame, [0, wall - 6 * scale, 0.3]), acrossMm: 1.5 * scale, alongMm: 0.7 * scale },
  ], frame.x);
  structures.push({
    name: `${name} basivertebral vein`, solid: vein, tissue: 'epiduralFat', edgeMm: 1.4 * scale, opacity: 0.85,
    texture: { tissue: 'blood', mean: 0.5, amplitude: 0.2, scaleMm: [2, 2, 2], seed: seedFor('epidural veins') },
  });
  return structures;
}

/**
 * From the middle of the last lumbar transverse process down to the ala of the sacrum: where they meet, the sacrum
 * reaches up (Castellvi's second type), and where they are fused, marrow runs through (the third).
 */
function lumbosacralBridge(plan: SpinePlan, { vertebrae }: Alignment, side: Side, radiusMm: number): Solid {
  const last = plan.vertebrae.findLast(({ kind }) => kind === 'lumbar')!;
  const { body, canal, pedicle, transverse } = last;
  const { lengthMm, backwardDeg } = transverse[side];
  const angle = (backwardDeg * Math.PI) / 180;
  const out = sign(side);
  const [x, y] = [canal.widthMm / 2 + pedicle.widthMm / 2 + 0.75 * lengthMm * Math.cos(angle), 0.75 * lengthMm * Math.sin(angle)];
  const s1 = vertebraOf(plan, 'S1');
  const points: Vector3[] = [
    outOfFrame(vertebrae.get(last.name)!, [out * x, (body.lowerDepthMm + body.upperDepthMm) / 4 + pedicle.lengthMm + y, pedicle.raisedMm - 2]),
    outOfFrame(vertebrae.get('S1')!, [out * Math.max(x, 0.8 * s1.body.upperWidthMm), posteriorWallMm(s1) - 9, 0]),
  ];
  return tube(points.map((centreMm) => ({ centreMm, acrossMm: radiusMm, alongMm: radiusMm })));
}

interface Shelled {
  readonly vertebra: VertebraPlan;
  readonly shell: Structure;
  readonly marrow: Structure;
}

/** The shell spares the body, the marrow does not: so pedicles open into their body. */
function archStructures({ plan, frame, body, arch, archMarrow }: VertebraSite, canal: Canal, seedFor: (name: string) => number): Shelled[] {
  const texture = marrowTexture(plan, seedFor('marrow'));
  const bone = (part: string, code: number, shell: Solid, marrow: Solid): Shelled => ({
    vertebra: plan,
    shell: { name: `${part} cortex`, solid: shell, tissue: 'cortex', label: code },
    marrow: { name: `${part} marrow`, solid: marrow, tissue: 'redMarrow', label: code, texture },
  });
  const own = bone(`${plan.name} arch`, archLabel(plan.name), difference(arch, body), archMarrow);
  if (plan.kind !== 'axis') return [own];
  const ring = difference(placed(frame, atlasSolid(plan)), canal.wall);
  return [own, bone('C1', archLabel('C1'), ring, offset(ring, -1))];
}

function jointStructures(segment: SegmentPlan, { facets, upper }: SegmentGeometry): Structure[] {
  if (upper.kind === 'sacral' || upper.kind === 'coccygeal') return [];
  return sides.flatMap((side): Structure[] => {
    const { space, fluid, shell } = jointSolids(segment.facets[side], upper.kind);
    const at = (solid: Solid) => placed(facets[side], solid);
    const label = facetLabel(segment.name, side);
    const name = `${segment.name} ${side}`;
    return [
      { name: `subchondral bone ${name}`, solid: at(shell), tissue: 'cortex' },
      { name: `joint ${name}`, solid: at(space), tissue: 'cartilage', label },
      { name: `joint fluid ${name}`, solid: at(fluid), tissue: 'jointFluid', label, edgeMm: 0.6 },
    ];
  });
}

function foramen(segment: SegmentPlan, { foramina, halfHeightMm, upper, lower }: SegmentGeometry, side: Side, seed: number): Structure {
  const { widthMm, fatShare } = segment.foramina[side];
  const half = (upper.pedicle.widthMm + lower.pedicle.widthMm) / 4 + 4;
  const solid = placed(foramina[side], cuboid([half, widthMm / 2 + 4, halfHeightMm + 3], 3));
  return {
    name: `foramen ${segment.name} ${side}`, solid, tissue: 'epiduralFat', label: foramenLabel(segment.name, side), edgeMm: 1,
    texture: { tissue: 'ligamentumFlavum', mean: 1.02 - fatShare, amplitude: 0.04, scaleMm: [3, 3, 3], seed },
  };
}

function nerves(segment: SegmentPlan, site: SegmentSite, side: Side, plan: SpinePlan, canal: Canal, alignment: Alignment): Structure[] {
  if (segment.name.startsWith('S4') || segment.name.startsWith('S5')) return [];
  const name = `${segment.name} ${side}`;
  const veins: Structure[] = segment.name.startsWith('S')
    ? []
    : [{ name: `veins ${name}`, solid: foraminalVeins(site, side), tissue: 'blood', opacity: 0.6, edgeMm: 0.5 }];
  return [...veins, ...foraminalRoot(segment, site, side, plan, canal, alignment)];
}

function courseOf(plan: SpinePlan, names: readonly string[], { vertebrae }: Alignment): ColumnCourse {
  const stations = names.filter((name) => /^[CTL]|^S1$/.test(name)).filter((name) => name !== 'Co1').map((name): Station => {
    const { body } = vertebraOf(plan, name);
    return {
      name,
      centreMm: vertebrae.get(name)!.originMm,
      halfWidthMm: (body.upperWidthMm + body.lowerWidthMm) / 4,
      halfDepthMm: (body.upperDepthMm + body.lowerDepthMm) / 4,
    };
  });
  return new ColumnCourse(stations);
}

/** The tissue table as it is in one person. The fat of marrow is the plan's, so it is not drawn again. */
function personsTissues(seed: number, fieldStrengthT: FieldStrengthT): Map<string, Tissue> {
  const own = new Map<string, Tissue>(
    tissueNames.map((name: TissueName) => {
      const random = new Random(seedOf(seed, `tissue ${name}`));
      const [a, b, c, d, e] = Array.from({ length: 5 }, () => Math.max(-2, Math.min(2, random.normal()))) as [number, number, number, number, number];
      const { protonDensity, fatFraction, t1Ms, t2Ms, t2StarMs, hounsfield, susceptibilityPpm } = tissueAt(name, fieldStrengthT);
      const spread = tissueVariation[name];
      const isMarrow = name === 'redMarrow' || name === 'yellowMarrow';
      const t2Factor = 1 + spread.t2 * c;
      return [name, {
        protonDensity: Math.min(1.05, protonDensity * (1 + spread.protonDensity * a)),
        fatFraction: isMarrow ? fatFraction : Math.min(1, Math.max(0, fatFraction + spread.fatFraction * d)),
        t1Ms: t1Ms * (1 + spread.t1 * b),
        t2Ms: t2Ms * t2Factor,
        t2StarMs: t2StarMs * t2Factor,
        hounsfield: hounsfield + spread.hounsfield * e,
        susceptibilityPpm,
      }];
    }),
  );
  // Blood that the sequence may have left before its echo: the scanner knows the name.
  own.set('flowingBlood', own.get('blood')!);
  return own;
}

