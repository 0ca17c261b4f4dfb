/** What the network `models/spine-structures` tells apart, in the order of its logits. */
export const structureClasses = [
  'background', 'vertebralBody', 'posteriorElements', 'disc', 'sac', 'cord', 'sacrum', 'epiduralFat', 'foramen', 'facetJoint',
  'otherBone', 'ligamentumFlavum',
] as const;

export type StructureClass = (typeof structureClasses)[number];
export const nClasses = structureClasses.length;

export const classIndex = Object.fromEntries(structureClasses.map((name, index) => [name, index])) as Readonly<Record<StructureClass, number>>;
