export { defaultEspiritCrop, espiritBytes, estimateEspiritMaps } from './estimate.js';
export { estimateEspiritSets, type EspiritSets } from './sets.js';
