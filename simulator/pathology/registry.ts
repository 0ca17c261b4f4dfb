/** Every pathology by the name of its kind, in the order in which they change a plan: later ones see what earlier ones did. */
import type { LesionBuilder } from '../spine/index.js';
import { bulge } from './bulge.js';
import { contusion, plaque } from './cord-lesion.js';
import { degeneration } from './degeneration.js';
import { facet } from './facet.js';
import { fatty } from './fatty.js';
import { fracture } from './fracture.js';
import { extrusion, protrusion } from './herniation.js';
import { spondylodiscitis } from './infection.js';
import type { KindName } from './kinds.js';
import { listhesis } from './listhesis.js';
import { modic1, modic2, modic3, modicmixed } from './modic.js';
import type { Pathology } from './pathology.js';
import { schmorl } from './schmorl.js';
import { foramen, recess, stenosis } from './stenosis.js';
import { haemangioma, metastasis } from './tumour.js';

export const pathologies: Readonly<Record<KindName, Pathology>> = {
  listhesis,
  fracture,
  schmorl,
  spondylodiscitis,
  modic1,
  modic2,
  modic3,
  modicmixed,
  protrusion,
  extrusion,
  // What else befalls a disc wears it; an explicit grade has the last word.
  degeneration,
  bulge,
  metastasis,
  haemangioma,
  plaque,
  contusion,
  facet,
  foramen,
  recess,
  // The canal's width is what is left by all of these.
  stenosis,
  fatty,
};

export const kindOrder = Object.keys(pathologies) as readonly KindName[];

/** For buildSpine: what paints the lesions that pathologies plant. */
export const lesionBuilders: Readonly<Record<string, LesionBuilder>> = Object.assign({}, ...Object.values(pathologies).map(({ builders }) => builders));
