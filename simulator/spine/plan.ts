/**
 * One person's spine in numbers, before any geometry: what an atlas of measurements says about it, and
 * what ails it. Plain data (JSON). population.ts draws healthy ones; pathologies take a plan and give
 * another; build.ts makes an anatomy of it.
 *
 * Each quantity is stated once. Lordosis and kyphosis are the wedges of bodies and discs added up, so a
 * wedge fracture bends the spine; the height of a foramen follows from disc and bodies.
 *
 * Frames. A vertebra's: origin in the middle of its body, x to its left, y to posterior, z up along it.
 * A disc's: likewise, in the middle of the disc, half way between its neighbours. mm and degrees.
 */
import { simulatorError } from '../errors.js';

export type Sex = 'female' | 'male';
export const spineRegions = ['cervical', 'thoracolumbar', 'lumbar', 'whole'] as const;
/** What is built and lies at the isocentre; the person is the same in all of them. */
export type SpineRegion = (typeof spineRegions)[number];

export const sides = ['left', 'right'] as const;
export type Side = (typeof sides)[number];
export interface PerSide<T> {
  readonly left: T;
  readonly right: T;
}

export type VertebraKind = 'axis' | 'cervical' | 'thoracic' | 'lumbar' | 'sacral' | 'coccygeal';

export interface SpinePlan {
  readonly seed: number;
  readonly sex: Sex;
  readonly ageYears: number;
  /** Of all lengths; 1 is the mean of its sex. */
  readonly statureScale: number;
  readonly region: SpineRegion;
  /** Of what lies round the column: subcutaneous fat over its mean thickness, share of fat in the muscles of the back. */
  readonly habitus: { readonly fatScale: number; readonly muscleFat: number };
  /** From C2 down to the coccyx; all of them, whatever the region. */
  readonly vertebrae: readonly VertebraPlan[];
  /** Between neighbours, from C2-C3 downwards: segments[i] joins vertebrae[i] and vertebrae[i + 1]. */
  readonly segments: readonly SegmentPlan[];
  readonly cord: CordPlan;
  readonly sac: SacPlan;
  readonly transition: TransitionPlan;
  readonly lesions: readonly LesionPlan[];
}

export interface VertebraPlan {
  /** 'C2' … 'C7', 'T1' … 'T12', 'L1' … 'L5' (or to 'L4', 'L6'), 'S1' … 'S5', 'Co1'. */
  readonly name: string;
  readonly kind: VertebraKind;
  readonly body: BodyPlan;
  /** Bony canal in the plane of the pedicles. */
  readonly canal: { readonly depthMm: number; readonly widthMm: number };
  readonly pedicle: PediclePlan;
  readonly lamina: { readonly heightMm: number; readonly thicknessMm: number };
  readonly spinous: SpinousPlan;
  readonly transverse: PerSide<TransversePlan>;
  /** Width of a cleft across the pars interarticularis; 0 is none. */
  readonly parsCleftMm: PerSide<number>;
  readonly marrow: MarrowPlan;
  /** Dural sac in the plane through the middle of the body. */
  readonly sac: SacSection;
}

export interface BodyPlan {
  readonly upperWidthMm: number;
  readonly lowerWidthMm: number;
  readonly upperDepthMm: number;
  readonly lowerDepthMm: number;
  /** At the rims. Their difference is the wedge of the body. */
  readonly anteriorHeightMm: number;
  readonly posteriorHeightMm: number;
  /** Left rim height less right rim height. */
  readonly coronalWedgeMm: number;
  /** Depth of the hollow of each endplate under its rim; the height in the middle is lower by both. */
  readonly upperConcavityMm: number;
  readonly lowerConcavityMm: number;
  /** By how much the waist is narrower on each side. */
  readonly waistMm: number;
  /** Hollow of the posterior wall seen from above. */
  readonly posteriorConcavityMm: number;
  /** Height of the uncinate processes; 0 below C7. */
  readonly uncinateMm: number;
  readonly cortexMm: number;
  readonly endplateMm: number;
  /** Roughness of the endplates, mm rms. */
  readonly endplateRoughnessMm: number;
  /** Breaks into the endplates: Schmorl's nodes, depressed fractures, erosions. */
  readonly dents: readonly DentPlan[];
}

export interface DentPlan {
  readonly face: 'upper' | 'lower';
  /** Centre in the vertebra's frame. */
  readonly xMm: number;
  readonly yMm: number;
  readonly radiusXMm: number;
  readonly radiusYMm: number;
  readonly depthMm: number;
}

export interface PediclePlan {
  /** Of its axis over the middle of the body. */
  readonly raisedMm: number;
  readonly widthMm: number;
  readonly heightMm: number;
  /** From the body to the articular pillar. */
  readonly lengthMm: number;
  /** Converging forwards, seen from above. */
  readonly angleDeg: number;
}

export interface SpinousPlan {
  /** From the canal's back wall to the tip. */
  readonly lengthMm: number;
  readonly heightMm: number;
  readonly thicknessMm: number;
  /** Downwards from the y axis. */
  readonly slopeDeg: number;
  /** Out of the midline, to the left. */
  readonly deviationDeg: number;
  readonly bifid: boolean;
}

export interface TransversePlan {
  /** From the pillar to the tip. */
  readonly lengthMm: number;
  readonly heightMm: number;
  readonly backwardDeg: number;
}

export interface MarrowPlan {
  /** Fat fraction, 0 to 1. */
  readonly fatFraction: number;
  /** Standard deviation of the share of fat from place to place. */
  readonly heterogeneity: number;
  /** Size of the pattern. */
  readonly grainMm: number;
  /** More fat round the basivertebral vein and under the endplates, 0 to 1. */
  readonly focalFat: number;
}

/** Two vertebrae and what joins them. */
export interface SegmentPlan {
  /** 'C2-C3' … 'L5-S1' … */
  readonly name: string;
  readonly disc: DiscPlan;
  /** Of the upper vertebra against the lower one, about the disc's axes. */
  readonly alignment: AlignmentPlan;
  readonly facets: PerSide<FacetPlan>;
  readonly foramina: PerSide<ForamenPlan>;
  /** Dural sac in the plane of the disc. */
  readonly sac: SacSection;
  readonly flavumMm: PerSide<number>;
  /** From the disc's unbulged margin to the superior articular process, 2 to 6 mm beside the sac. */
  readonly lateralRecessMm: PerSide<number>;
}

export interface AlignmentPlan {
  /** Upper vertebra forwards (anterolisthesis positive). */
  readonly slipMm: number;
  /** Upper vertebra to the left. */
  readonly lateralSlipMm: number;
  /** Upper vertebra turned about z, counter-clockwise seen from above: its front to the left. */
  readonly axialDeg: number;
}

export interface DiscPlan {
  /** Between the rims. Their difference is the wedge of the disc. */
  readonly anteriorHeightMm: number;
  readonly posteriorHeightMm: number;
  /** Left height less right height. */
  readonly coronalWedgeMm: number;
  /** Share of the section that is nucleus, 0 to 1. */
  readonly nucleusShare: number;
  /** Pfirrmann's grade, 1 to 5, continuous. */
  readonly degeneration: number;
  /** Reach of the annulus beyond the rims of the endplates. */
  readonly bulgeMm: { readonly anterior: number; readonly posterior: number; readonly left: number; readonly right: number };
  readonly herniations: readonly HerniationPlan[];
  /** Bright spots at the outer annulus on T2w (high-intensity zones). */
  readonly fissures: readonly { readonly angleDeg: number; readonly heightMm: number; readonly widthMm: number }[];
  /** Vacuum or calcium in the disc, share of the nucleus; 0 to 1. */
  readonly vacuumShare: number;
}

/** Disc material beyond the annulus (Fardon 2014, doi 10.1016/j.spinee.2014.04.022). */
export interface HerniationPlan {
  readonly kind: 'protrusion' | 'extrusion' | 'sequestration';
  /** Direction from the disc's middle: 0 to posterior, 90 to the left, -90 to the right. */
  readonly angleDeg: number;
  /** Along the disc's margin, at the base and at the widest place. */
  readonly baseWidthMm: number;
  readonly widthMm: number;
  /** Beyond the disc's margin. */
  readonly depthMm: number;
  readonly heightMm: number;
  /** Middle of the fragment above the disc (below: negative). */
  readonly migrationMm: number;
}

export interface FacetPlan {
  /** Of the joint to the sagittal plane, seen from above: 0 sagittal, 90 coronal. */
  readonly angleDeg: number;
  /** Of the joint to the long axis, seen from the side: 0 upright, 45 as in the neck. */
  readonly tiltDeg: number;
  readonly jointSpaceMm: number;
  /** Share of the space that is fluid rather than cartilage, 0 to 1. */
  readonly effusion: number;
  /** Growth of both articular processes. */
  readonly hypertrophyMm: number;
}

export interface ForamenPlan {
  /** In the plane of the pedicles, from the disc's margin to the superior articular process, before bulge and hypertrophy. */
  readonly widthMm: number;
  /** Of the root with its ganglion. */
  readonly ganglionMm: number;
  /** 1: the root lies in fat; 0: the fat is gone. */
  readonly fatShare: number;
}

/**
 * Dural sac across its axis: { |x| <= a (1 - τ y/b) sqrt(1 - (y/b)²) }, a and b half of the widths, τ the
 * triangularity: as an ellipse of the same area, narrower behind. Area: π/4 · apMm · transverseMm.
 */
export interface SacSection {
  readonly apMm: number;
  readonly transverseMm: number;
  readonly triangularity: number;
  /** Between the body or disc and the sac; at discs from the unbulged margin. */
  readonly anteriorGapMm: number;
  /** Fat between the sac and the laminae or ligamenta flava, in the midline. */
  readonly posteriorGapMm: number;
  /** Pushed to the left. */
  readonly shiftMm: number;
}

export interface SacPlan {
  /** Where it ends, e.g. the middle of S2: share of the height of that vertebra, 0 top to 1 base. */
  readonly end: Place;
}

export interface CordPlan {
  /** In the middle of each vertebra from C2 down; below the conus without effect. */
  readonly sections: readonly CordSection[];
  /** Tip of the conus. */
  readonly conus: Place;
}

export interface CordSection {
  readonly vertebra: string;
  readonly apMm: number;
  readonly transverseMm: number;
  /** Of its middle from that of the sac, to posterior, as a share of the room there is (-1 to 1). */
  readonly posteriorShift: number;
}

export interface Place {
  readonly vertebra: string;
  readonly share: number;
}

/** Numbering of the lumbosacral junction: five lumbar vertebrae, or a transition. */
export interface TransitionPlan {
  readonly kind: 'none' | 'sacralisation' | 'lumbarisation';
  readonly nLumbar: 4 | 5 | 6;
  /**
   * Transverse processes of the last lumbar vertebra: 0 normal, 1 broad, 2 joint with the sacrum, 3 fused
   * (Castellvi 1984, Spine 9:493).
   */
  readonly castellvi: PerSide<0 | 1 | 2 | 3>;
}

/**
 * Something that grows, breaks or lights up where a healthy plan has nothing. Whoever invents a kind gives
 * buildSpine its builder (scene.ts).
 */
export interface LesionPlan {
  readonly kind: string;
  /** In the map of lesions, 1 to 255. */
  readonly code: number;
  /** Vertebra or segment in whose frame it lies: 'L4', 'L4-L5'. */
  readonly site: string;
  readonly side?: Side;
  readonly parameters: Readonly<Record<string, number | string | boolean | readonly number[]>>;
}

/** @throws SIM_ERR_SPINE */
export function vertebraOf(plan: SpinePlan, name: string): VertebraPlan {
  return found(plan.vertebrae, name);
}

/** @throws SIM_ERR_SPINE */
export function segmentOf(plan: SpinePlan, name: string): SegmentPlan {
  return found(plan.segments, name);
}

/** The plan with one vertebra changed. */
export function withVertebra(plan: SpinePlan, name: string, change: (vertebra: VertebraPlan) => VertebraPlan): SpinePlan {
  found(plan.vertebrae, name);
  return { ...plan, vertebrae: plan.vertebrae.map((vertebra) => (vertebra.name === name ? change(vertebra) : vertebra)) };
}

/** The plan with one segment changed. */
export function withSegment(plan: SpinePlan, name: string, change: (segment: SegmentPlan) => SegmentPlan): SpinePlan {
  found(plan.segments, name);
  return { ...plan, segments: plan.segments.map((segment) => (segment.name === name ? change(segment) : segment)) };
}

export function withLesion(plan: SpinePlan, lesion: LesionPlan): SpinePlan {
  return { ...plan, lesions: [...plan.lesions, lesion] };
}

export function perSide<T>(of: (side: Side) => T): PerSide<T> {
  return { left: of('left'), right: of('right') };
}

function found<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const one = all.find((candidate) => candidate.name === name);
  if (one === undefined) throw simulatorError('SIM_ERR_SPINE', `${name}, which is not among ${all.map((candidate) => candidate.name).join(' ')}`);
  return one;
}
