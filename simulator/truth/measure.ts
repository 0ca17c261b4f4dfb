/** Everything that can be measured on a built spine, on its label maps; sections lie along its frames. */
import type { FieldStrengthT } from '../../imaging/index.js';
import type { Anatomy } from '../anatomy/index.js';
import { perSide, type SegmentSite, type SpineScene, type VertebraSite } from '../spine/index.js';
import { coronalTiltDeg, endplatesOf, measureCobb, measureListhesis, sagittalTiltDeg, type Endplates } from './alignment.js';
import { canalSection, measureCanal, measureRecesses } from './canal.js';
import { measureCord } from './cord.js';
import { discSection, measureDegeneration, measureDiscHeights } from './disc.js';
import { measureDisplacement } from './displacement.js';
import { foramenSection, measureFacet, measureForamen } from './foramen.js';
import { scales } from './grades.js';
import { measureLesions } from './lesions.js';
import { measureEndplate } from './marrow.js';
import { measureMuscleFat } from './muscle.js';
import { truthVersion, type Truth } from './schema.js';
import { bodySection, gradeFractures, outlineBody, type BodyOutline } from './vertebra.js';

export interface TruthInput {
  readonly anatomy: Anatomy;
  readonly scene: SpineScene;
  readonly fieldStrengthT: FieldStrengthT;
  readonly findings: Truth['findings'];
  /** Names of the codes in the lesion map. */
  readonly lesionCodes: Readonly<Record<string, number>>;
}

interface MeasuredBody {
  readonly site: VertebraSite;
  readonly outline: BodyOutline;
  readonly endplates: Endplates;
}

export function measureTruth({ anatomy, scene, fieldStrengthT, findings, lesionCodes }: TruthInput): Truth {
  const bodies = new Map<string, MeasuredBody>();
  for (const [name, site] of scene.vertebrae) {
    const outline = outlineBody(bodySection(anatomy, site.frame), name);
    if (outline !== undefined) bodies.set(name, { site, outline, endplates: endplatesOf(site.frame, outline) });
  }
  const modicCodes = [lesionCodes.modic1!, lesionCodes.modic2!, lesionCodes.modic3!] as const;
  const kindOf = new Map(Object.entries(lesionCodes).map(([kind, code]) => [code, kind]));
  const { plan } = scene;
  return {
    version: truthVersion,
    definitions: Object.fromEntries(
      Object.entries(scales).map(([name, { unit, grades, cutoffs, worse }]) => [name, { unit, grades: [...grades], cutoffs: [...cutoffs], worse }]),
    ),
    person: { seed: plan.seed, sex: plan.sex, ageYears: plan.ageYears, region: plan.region, nLumbar: plan.transition.nLumbar },
    fieldStrengthT,
    findings,
    vertebrae: measureVertebrae(anatomy, bodies),
    discs: [...scene.segments.values()]
      .filter(({ plan: { name } }) => !name.startsWith('S') && !name.startsWith('Co'))
      .map((site) => measureSegment(anatomy, site, bodies, fieldStrengthT, modicCodes)),
    alignment: measureAlignment(anatomy, bodies),
    muscles: perSide((side) => measureMuscleFat(anatomy, scene, side) ?? null),
    lesions: measureLesions(anatomy, scene.frames).map(({ centroidMm, ...rest }) => ({
      ...rest, centroidMm: [...centroidMm], kind: kindOf.get(rest.code) ?? `${rest.code}`,
    })),
  };
}

function isPresacral(name: string): boolean {
  return /^[CTL]\d/.test(name);
}

function measureVertebrae(anatomy: Anatomy, bodies: ReadonlyMap<string, MeasuredBody>): Truth['vertebrae'] {
  const presacral = [...bodies.keys()].filter((name) => isPresacral(name) && name !== 'C2');
  const fractures = gradeFractures(presacral.map((name) => bodies.get(name)!.outline.heights));
  return [...bodies].map(([level, { site, outline }]) => {
    const index = presacral.indexOf(level);
    return {
      level,
      centreMm: [...site.frame.originMm],
      heights: outline.heights,
      fracture: index < 0 ? null : fractures[index]!,
      cord: measureCord(anatomy, site.frame) ?? null,
    };
  });
}

function measureSegment(
  anatomy: Anatomy, site: SegmentSite, bodies: ReadonlyMap<string, MeasuredBody>, fieldStrengthT: FieldStrengthT, modicCodes: readonly [number, number, number],
): Truth['discs'][number] {
  const level = site.plan.name;
  const [upper, lower] = level.split('-') as [string, string];
  const [above, below] = [bodies.get(upper), bodies.get(lower)];
  const axial = canalSection(anatomy, site);
  const sagittal = discSection(anatomy, site);
  const canal = measureCanal(axial);
  const recesses = measureRecesses(axial, level);
  const isLumbar = /^L/.test(upper) || /^L/.test(lower);
  const changeOf = (body: MeasuredBody | undefined, face: 'upper' | 'lower') =>
    body === undefined ? null : measureEndplate(anatomy, body.site.frame, body.site.plan.name, face, modicCodes);
  return {
    level,
    heights: measureDiscHeights(sagittal, level) ?? null,
    degeneration: measureDegeneration(anatomy, site, sagittal, fieldStrengthT) ?? null,
    displacement: measureDisplacement(anatomy, site) ?? null,
    centralCanal: canal === undefined ? null : { ...canal, grade: isLumbar ? canal.grade : null },
    lateralRecess: perSide((side) => (isLumbar ? recesses[side] ?? null : null)),
    foramen: perSide((side) => (isLumbar ? measureForamen(foramenSection(anatomy, site, side), level, side) ?? null : null)),
    facetJoint: perSide((side) => measureFacet(anatomy, site, side) ?? null),
    listhesis: above === undefined || below === undefined ? null : measureListhesis(above.endplates, below.endplates),
    modic: { upper: changeOf(above, 'lower'), lower: changeOf(below, 'upper') },
  };
}

function measureAlignment(anatomy: Anatomy, bodies: ReadonlyMap<string, MeasuredBody>): Truth['alignment'] {
  const tiltOf = (name: string) => {
    const body = bodies.get(name);
    return body === undefined ? undefined : sagittalTiltDeg(body.endplates.upper);
  };
  const [first, sacrum] = [tiltOf('L1'), tiltOf('S1')];
  const tilts = [...bodies].flatMap(([name, { site }]) => {
    const tilt = isPresacral(name) ? coronalTiltDeg(anatomy, site.frame, name) : undefined;
    return tilt === undefined ? [] : [{ name, ...tilt }];
  });
  return {
    lumbarLordosisDeg: first === undefined || sacrum === undefined ? null : sacrum - first,
    sacralSlopeDeg: sacrum ?? null,
    cobb: measureCobb(tilts) ?? null,
  };
}
