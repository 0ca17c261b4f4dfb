/** All measures, one after the other, on one spine. */
import type { Assess, Assessment, Spine } from '../types.js';
import { assessBalance } from './balance.js';
import { assessCentralCanal } from './centralCanal.js';
import { assessCobb } from './cobb.js';
import { assessCordLesion } from './cordLesion.js';
import { assessCordSection } from './cordSection.js';
import { assessCortex } from './cortex.js';
import { assessDiscHeight } from './discHeight.js';
import { assessDisplacement } from './displacement.js';
import { assessFacetJoint } from './facetJoint.js';
import { assessForamen } from './foramen.js';
import { assessFractureAge } from './fractureAge.js';
import { assessInfectionSigns } from './infectionSigns.js';
import { assessLateralRecess } from './lateralRecess.js';
import { assessListhesis } from './listhesis.js';
import { assessLordosis } from './lordosis.js';
import { assessMalignantSigns } from './malignantSigns.js';
import { assessMarrowHu } from './marrowHu.js';
import { assessMarrowSignal } from './marrowSignal.js';
import { assessModic } from './modic.js';
import { assessPfirrmann } from './pfirrmann.js';
import { assessSacralSlope } from './sacralSlope.js';
import { assessVertebralHeights } from './vertebralHeights.js';

const measures: readonly Assess[] = [
  assessCentralCanal, assessLateralRecess, assessForamen, assessFacetJoint,
  assessVertebralHeights, assessDiscHeight, assessPfirrmann, assessDisplacement,
  assessLordosis, assessSacralSlope, assessListhesis, assessCobb, assessBalance, assessCordSection,
  assessModic, assessMarrowSignal, assessFractureAge, assessMalignantSigns, assessInfectionSigns, assessCordLesion,
  assessMarrowHu, assessCortex,
];

export function assess(spine: Spine): Assessment {
  const assessments = measures.map((measure) => measure(spine));
  return { findings: assessments.flatMap(({ findings }) => findings), notAssessed: assessments.flatMap(({ notAssessed }) => notAssessed) };
}
