/**
 * The levels of a T2w series, so that reasons name them ("L3: T1w and T2w disagree"): the structures that the analysis finds in
 * it. What the synthesis's network doubts beside them does not count (synth/nearRegions.ts); where the network of structures is not there, or finds no
 * spine, all of the picture counts, and places are named by where they lie.
 */
import { CodedError } from 'ismrmrd';
import { findSpine, levelCodeOf, structureCodes } from '../../analysis/index.js';
import type { Spine } from '../../analysis/index.js';
import type { Volume } from '../../imaging/index.js';
import { measurementPlanes } from '../../synth/index.js';
import type { Regions, RunModel } from '../../synth/index.js';

const unnumbered: ReadonlyMap<number, string> = new Map([[structureCodes.sac, 'dural sac'], [structureCodes.cord, 'cord'], [structureCodes.sacrum, 'sacrum']]);

/** @param run one run of the network of structures */
export async function levelsOf(volume: Volume<Float32Array>, run: RunModel): Promise<Regions | undefined> {
  const orientation = measurementPlanes(volume.geometry).acquired;
  if (orientation === 'coronal') return undefined;
  try {
    const { spine } = await findSpine([{ volume, contrast: 't2w', orientation, synthetic: false, denoised: false, description: 'T2w' }], run);
    const codes = spine.stacks[0]?.codes;
    return codes && { volume: codes, names: namesOf(spine, new Set(codes.data)) };
  } catch (error) {
    // A name is never worth the synthesis.
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

function namesOf({ numbering, segments }: Spine, codes: Iterable<number>): Map<number, string> {
  const doubt = !numbering.certain ? ' (numbering uncertain)' : '';
  const names = new Map<number, string>();
  for (const code of codes) {
    const levelCode = levelCodeOf(code);
    const name = levelCode === undefined ? undefined : nameOf(levelCode, segments);
    const named = name === undefined ? unnumbered.get(code) : `${name}${doubt}`;
    if (named !== undefined) names.set(code, named);
  }
  return names;
}

/** Of bodies, arches and discs: what is small beside a place has no name of its own. */
function nameOf({ kind, level }: NonNullable<ReturnType<typeof levelCodeOf>>, segments: Spine['segments']): string | undefined {
  if (kind === 'body') return level;
  if (kind === 'arch') return `arch of ${level}`;
  if (kind === 'disc') return `disc ${segments.find(({ name }) => name.startsWith(`${level}-`))?.name ?? `below ${level}`}`;
  return undefined;
}
