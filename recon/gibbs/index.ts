export { removeGibbsRinging } from './unring.js';
