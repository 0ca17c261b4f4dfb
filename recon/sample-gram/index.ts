export { SampleGram } from './gram.js';
