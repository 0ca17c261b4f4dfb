export { levelsOf, parsePathologies, type PathologyRequest, type RandomRequest } from './grammar.js';
export { kindNames, pathologyKinds, pathologyTable, syntaxOf, type KindName } from './kinds.js';
export { lesionCodes, type LesionKind } from './codes.js';
export { adjustPlaced, placePathologies, type Placement, type PlacedFinding, type PlaceOptions } from './place.js';
export { lesionBuilders } from './registry.js';
