export { defaultEspiritCrop, espiritScratchBytes, estimateEspiritMaps } from './estimate.js';
