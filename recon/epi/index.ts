export { ghostPhase, removeGhostPhase, type GhostPhase } from './ghost.js';
