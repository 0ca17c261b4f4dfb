/** The console: a page that shows exams as they happen. */
import { render } from 'preact';
import { liveCounts, startLive } from './api/index.js';
import { App } from './app/App.js';
import { takeTokenFromAddress } from './app/token.js';
import { pictureLatenciesMs } from './pictures/latency.js';
import { pictureCache } from './pictures/store.js';

// For whoever measures the page: bench/console.ts, and the console of a browser.
Object.assign(globalThis, { conus: { liveCounts, pictureLatenciesMs, pictureBytes: () => pictureCache.nBytes } });

takeTokenFromAddress();
startLive();
render(<App />, document.getElementById('console')!);
