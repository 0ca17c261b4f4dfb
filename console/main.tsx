/** The console: a page that shows exams as they happen. */
import { render } from 'preact';
import { startLive } from './api/index.js';
import { App } from './app/App.js';
import { takeTokenFromAddress } from './app/token.js';

takeTokenFromAddress();
startLive();
render(<App />, document.getElementById('console')!);
