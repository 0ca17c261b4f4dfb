export { Light } from './Light.js';
export { Panel } from './Panel.js';
export { State } from './State.js';
export type { Standing } from './State.js';
export { Trouble } from './Trouble.js';
export * from './words.js';
