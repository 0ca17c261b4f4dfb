export { sweepPage } from './sweepPage.js';
