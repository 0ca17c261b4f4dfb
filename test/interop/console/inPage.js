// Functions that run in the page. In JavaScript, because the tests' own program knows no browser; typed by inPage.d.ts.

export function markControls() {
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, canvas[tabindex]')];
  const shown = all.filter((element) => element.checkVisibility() && !element.disabled && element.closest('dialog:not([open])') === null);
  shown.forEach((element, index) => element.setAttribute('data-control', String(index)));
  if (document.activeElement !== null) document.activeElement.blur();
  return shown.map((element) => element.outerHTML.slice(0, 120));
}

export function focusedControl() {
  return document.activeElement?.getAttribute('data-control') ?? undefined;
}

export function brightShare(selector) {
  const canvas = document.querySelector(selector);
  if (canvas === null || canvas.width === 0) return 0;
  const { data } = canvas.getContext('2d').getImageData(canvas.width >> 2, canvas.height >> 2, canvas.width >> 1, canvas.height >> 1);
  let nBright = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] > 40) nBright++;
  return nBright / (data.length / 4);
}

export async function axeViolations() {
  const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
}

export async function knockFromElsewhere({ port, token }) {
  const base = `127.0.0.1:${port}`;
  const http = await fetch(`http://${base}/api/exams`, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status, () => 'refused');
  const simple = await fetch(`http://${base}/api/exams`, { mode: 'no-cors' }).then(({ type }) => type, () => 'refused');
  const socket = await new Promise((resolve) => {
    const live = new WebSocket(`ws://${base}/api/live`, ['conus.live.v1', `bearer.${token}`]);
    live.onopen = () => resolve('open');
    live.onerror = () => resolve('refused');
  });
  return { http, simple, socket };
}

export function addScript() {
  const element = document.createElement('script');
  element.textContent = 'window.wasRun = 2';
  document.body.append(element);
}

export const wasRun = () => window.wasRun;

export function goTo(hash) {
  location.hash = hash;
}

export const hash = () => location.hash;

export const tooWide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

export const liveCounts = () => ({ ...globalThis.conus.liveCounts() });

export const pictureLatencies = () => [...globalThis.conus.pictureLatenciesMs()];

export const pictureBytes = () => globalThis.conus.pictureBytes();

// With everything that is laid out by then: the next frame.
export function rowsShownAfterMs(nRows) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.querySelectorAll('table.exams tbody tr').length >= nRows) requestAnimationFrame(() => resolve(performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  });
}
