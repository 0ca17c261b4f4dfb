export { chart, ticksOver } from './chart.js';
export { html, Markup } from './html.js';
export { niceCeiling, shortNumber } from './pictures.js';
export { largestBeside, widthOf } from './pointSpread.js';
export { seriesPage, type ScanContent } from './seriesPage.js';
export { SeriesReports, type SeriesContent } from './seriesReports.js';
export { sweepFile } from './sweepFile.js';
export { sweepPage } from './sweepPage.js';
