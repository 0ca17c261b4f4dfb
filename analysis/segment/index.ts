export { classIndex, nClasses, structureClasses, type StructureClass } from './classes.js';
export { fuseWithSagittal, groupsOf, segmentGroup, type IndexedSeries, type LabelledClasses } from './segment.js';
export { orientationOf } from './view.js';
