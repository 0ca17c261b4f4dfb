/** Who gets into the console, what a name can do there, and who can use it: tokens, origins, scripts, keys, screen readers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../client.js';
import { simulated } from '../streams.js';
import { openBrowser, openPage, screens, unreachable, violations } from './browser.js';
import type { Browser } from './browser.js';
import { addScript, goTo, hash, knockFromElsewhere, tooWide, wasRun } from './inPage.js';
import { ConsoleService, ofPatient } from './service.js';

const script = '<img src=x onerror="window.wasRun=1"><script>window.wasRun=1</script>';
let service: ConsoleService;
let browser: Browser;
let stream: Buffer;

beforeAll(async () => {
  [service, browser] = await Promise.all([ConsoleService.start(), openBrowser()]);
  stream = simulated({ nSlices: 2, acceleration: 2 });
  await exchange(service.port, ofPatient(stream, { id: 'P<b>1</b>', name: `${script}^Anna` }));
}, 120_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
});

describe('the door', () => {
  it('opens to the address that the service printed, and takes the token out of it', async () => {
    const { page, complaints } = await openPage(browser, service.address);
    await page.getByRole('table').waitFor();
    expect(page.url()).not.toContain('token');
    // Kept for the tab: a reload needs no token.
    await page.reload();
    await page.getByRole('table').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('stays shut without a token, and with a wrong one; then a right one is typed', async () => {
    const { page } = await openPage(browser, `http://127.0.0.1:${service.httpPort}/`);
    await page.getByRole('heading', { name: 'This service wants a token' }).waitFor();
    expect(await page.getByRole('table').count()).toBe(0);
    await page.getByLabel('Token').fill('not-the-token-of-this-service-at-all');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { name: 'This service wants a token' }).waitFor();
    await page.getByLabel('Token').fill(service.token);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('table').waitFor();
    await page.context().close();
  });

  it('is shut to a page of another origin, with the token and without', async () => {
    const elsewhere = createServer((_request, response) => response.end('<!doctype html><title>elsewhere</title>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => elsewhere.once('listening', resolve));
    const { page } = await openPage(browser, `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
    const tried = await page.evaluate(knockFromElsewhere, { port: service.httpPort, token: service.token });
    expect(tried.http).toBe('refused');
    // Blocked by its policy, or answered with nothing that the page could read.
    expect(['opaque', 'refused']).toContain(tried.simple);
    expect(tried.socket).toBe('refused');
    await page.context().close();
    elsewhere.close();
  });

  it('lets no page of elsewhere show it in a frame', async () => {
    const answer = await fetch(`http://127.0.0.1:${service.httpPort}/`);
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
  });
});

describe('a name that is a script', () => {
  it('is shown as text, in the list and on the page of the exam', async () => {
    const { page, complaints } = await openPage(browser, service.address);
    const link = page.getByRole('table').getByRole('link').first();
    await link.waitFor();
    expect(await link.textContent()).toContain('<script>');
    await link.click();
    // The list has a heading, too, until the exam is there.
    await page.getByRole('heading', { level: 1, name: 'onerror' }).waitFor();
    expect(await page.evaluate(wasRun)).toBeUndefined();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('could not run if it were no text: the policy forbids what stands in the page', async () => {
    const { page } = await openPage(browser, service.address);
    await page.evaluate(addScript);
    expect(await page.evaluate(wasRun)).toBeUndefined();
    await page.context().close();
  });
});

const views = ['#/', 'exam', 'exam/reading', 'exam/physics', '#/compare', '#/sweeps', '#/operations'] as const;

describe.each(screens)('at $width x $height', (viewport) => {
  it.each(views)('%s: axe-core finds nothing, every control is reached by Tab, nothing is wider than the screen', async (view) => {
    const { page, complaints } = await openPage(browser, service.address, viewport);
    await page.getByRole('table').waitFor();
    if (view.startsWith('exam')) {
      await page.getByRole('table').getByRole('link').first().click();
      await page.getByRole('heading', { level: 1 }).waitFor();
      const [, tab] = view.split('/');
      if (tab !== undefined) await page.evaluate(goTo, `${await page.evaluate(hash)}/${tab}`);
    } else {
      await page.evaluate(goTo, view);
    }
    await page.waitForLoadState('networkidle');
    expect(await page.getByText('Research use only.').isVisible()).toBe(true);
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('keys alone', () => {
  it('go from the list to a picture and through its slices', async () => {
    const { page } = await openPage(browser, service.address);
    await page.getByRole('table').waitFor();
    await page.getByRole('table').getByRole('link').first().focus();
    await page.keyboard.press('Enter');
    const picture = page.locator('canvas.viewport').first();
    await picture.waitFor();
    await expect.poll(() => picture.getAttribute('aria-label')).toContain('slice 2 of 2');
    await picture.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => picture.getAttribute('aria-label')).toContain('slice 1 of 2');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => picture.getAttribute('aria-label')).toContain('slice 2 of 2');
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByRole('heading', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.context().close();
  });
});
