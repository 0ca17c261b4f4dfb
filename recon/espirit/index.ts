export { defaultEspiritCrop, estimateEspiritMaps } from './estimate.js';
