/** Codes of the lesion map, one for each kind of changed tissue; which lesion it is follows from its place. */
export const lesionCodes = {
  marrowOedema: 1,
  modic1: 2,
  modic2: 3,
  modic3: 4,
  schmorlNode: 5,
  fractureLine: 6,
  metastasis: 7,
  epiduralTumour: 8,
  haemangioma: 9,
  discInfection: 10,
  abscess: 11,
  msPlaque: 12,
  contusion: 13,
  retropulsion: 14,
} as const;

export type LesionKind = keyof typeof lesionCodes;
