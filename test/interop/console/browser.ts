/** Debian's Chromium, driven by playwright-core, on the console. */
import { mkdirSync } from 'node:fs';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { axeViolations, brightShare, focusedControl, markControls } from './inPage.js';

export type { Browser, Page } from 'playwright-core';

/** Of the two screens that the console is made for. */
export const screens = [{ width: 1280, height: 800 }, { width: 1920, height: 1080 }] as const;

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CONUS_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  });
}

export interface OpenPage {
  readonly page: Page;
  /** What the page should not have said: errors of its own, and what its policy refused. */
  readonly complaints: string[];
}

/** A page of its own storage, at an address. */
export async function openPage(browser: Browser, address: string, viewport: { width: number; height: number } = screens[0]): Promise<OpenPage> {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // That the service is away or says no is part of some tests; the page tells it in words.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(address);
  return { page, complaints };
}

/** What axe-core finds, in words; empty where nothing is wrong. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(axeViolations);
}

/** Controls that Tab alone does not reach; of radio buttons that belong together, one is reached. */
export async function unreachable(page: Page): Promise<string[]> {
  const controls = await page.evaluate(markControls);
  const reached = new Set<number>();
  for (let i = 0; i < controls.length + 20 && reached.size < controls.length; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(focusedControl);
    if (at !== undefined) reached.add(Number(at));
  }
  return controls.filter((control, index) => !reached.has(index) && !control.includes('type="radio"'));
}

/** Where CONUS_SCREENSHOTS names a folder, what is seen is kept there. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['CONUS_SCREENSHOTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}

/** A canvas whose middle is not black: a picture was drawn. */
export async function showsPicture(page: Page, selector = 'canvas.viewport'): Promise<void> {
  await expect.poll(() => page.evaluate(brightShare, selector), { timeout: 30_000, interval: 200 }).toBeGreaterThan(0.02);
}
