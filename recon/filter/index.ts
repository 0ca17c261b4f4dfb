export { filterWindow, type RawFilter } from './window.js';
