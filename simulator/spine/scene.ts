/**
 * A plan that has found its place: frames and bodies of what is built, for whoever adds to it (lesions,
 * surroundings). Solids are in LPS, mm.
 */
import type { Tissue, Vector3 } from '../../imaging/index.js';
import type { Frame, Solid, Structure } from '../anatomy/index.js';
import type { LesionPlan, PerSide, SacSection, SegmentPlan, SpinePlan, VertebraPlan } from './plan.js';

export interface VertebraSite {
  readonly plan: VertebraPlan;
  readonly frame: Frame;
  /** With cortex and endplates. */
  readonly body: Solid;
  /** Within them. */
  readonly marrow: Solid;
  /** Pedicles, articular processes, laminae, spinous and transverse processes. */
  readonly arch: Solid;
  readonly archMarrow: Solid;
}

export interface SegmentSite {
  readonly plan: SegmentPlan;
  /** In the middle of the disc. */
  readonly frame: Frame;
  /** Half of the disc's extent in its frame, without bulges. */
  readonly halfWidthMm: number;
  readonly halfDepthMm: number;
  /** The column that the disc is cut from: bodies are painted over it. */
  readonly disc: Solid;
  /** Annulus bounds it; cut by the bodies likewise. */
  readonly nucleus: Solid;
  /** Middle of the joint; z up along it, y normal to it from the superior (lower vertebra's) to the inferior process. */
  readonly facets: PerSide<Frame>;
  /** Middle of the foramen; x along it, outwards. */
  readonly foramina: PerSide<Frame>;
  readonly sac: SacStation;
}

/** A section of the sac in space; its axes are those of the vertebra or disc. */
export interface SacStation {
  readonly frame: Frame;
  readonly section: SacSection;
}

export interface SpineScene {
  readonly plan: SpinePlan;
  /** What is built of the plan, from the top down. */
  readonly vertebrae: ReadonlyMap<string, VertebraSite>;
  readonly segments: ReadonlyMap<string, SegmentSite>;
  /** Frames of all vertebrae, built or not. */
  readonly frames: ReadonlyMap<string, Frame>;
  /** Middle of the sac from the top down, past what is built. */
  readonly canalLine: readonly Vector3[];
  /** The sac as planned, before anything displaces it. */
  readonly sac: Solid;
  readonly cord: Solid;
  /** An integer for textures and rough surfaces, different for each name and person. */
  seedOf(name: string): number;
}

/**
 * Where a lesion's structures are painted:
 *   discs   over the discs, under the bodies, so that the endplates cut them off
 *   bodies  over the bodies, under the arches
 *   bones   over all bone and joints, under the sac
 *   sac     in the CSF, under roots and cord
 *   cord    over the cord
 *   top     over everything
 */
export const lesionLayers = ['discs', 'bodies', 'bones', 'sac', 'cord', 'top'] as const;
export type Layer = (typeof lesionLayers)[number];

export interface LesionPaint {
  readonly structures: Readonly<Partial<Record<Layer, readonly Structure[]>>>;
  /** What pushes the dura and all within it aside. */
  readonly displaces?: readonly Solid[];
  /** Tissues that are not in the table. */
  readonly tissues?: ReadonlyMap<string, Tissue>;
}

export type LesionBuilder = (lesion: LesionPlan, scene: SpineScene) => LesionPaint;
