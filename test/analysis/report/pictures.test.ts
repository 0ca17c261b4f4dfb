import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bodyCode, changeGrade, evidencePicture, evidencePictures, summaryPage } from '../../../analysis/index.js';
import { encodePng, type Picture } from '../../../imaging/index.js';
import { finding, report, smallSpine } from './fixtures.js';

const size = 300;
const synthetic = [255, 220, 0];
const bodyBlue = [90, 170, 255];

const pixel = ({ data, columns }: Picture, x: number, y: number) => Array.from(data.subarray(3 * (y * columns + x), 3 * (y * columns + x) + 3));
const has = ({ data }: Picture, [red, green, blue]: readonly number[]) => {
  for (let at = 0; at < data.length; at += 3) if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) return true;
  return false;
};

describe('the picture of a finding', () => {
  it('shows its outlines where the labels are', () => {
    const [canal] = report().findings;
    const picture = evidencePicture(smallSpine(), canal!, size)!;
    const top = picture.rows - size;
    // The body is from column 8 to 22 and row 4 to 18 of an image of 2 mm pixels; shown is 60 mm around column 16, row 21.
    const toPage = (column: number, row: number) => [size / 2 + (column - 16) * 2 * (size / 60), top + size / 2 + (row - 21) * 2 * (size / 60)] as const;
    const near = (x: number, y: number) => {
      for (let dy = -3; dy <= 3; dy++) for (let dx = -3; dx <= 3; dx++) if (pixel(picture, Math.round(x) + dx, Math.round(y) + dy).every((value, i) => Math.abs(value - bodyBlue[i]!) < 40)) return true;
      return false;
    };
    for (const [column, row] of [[7.5, 14], [21.5, 14], [15, 17.5]] as const) expect(near(...toPage(column, row)), `${column}, ${row}`).toBe(true);
    for (const [column, row] of [[15, 14], [25, 8]] as const) expect(near(...toPage(column, row)), `${column}, ${row}`).toBe(false);
  });

  it('is marked where its series or its numbers are computed, and only there', () => {
    for (const isSynthetic of [false, true]) {
      const marked = evidencePictures(smallSpine(isSynthetic), report(isSynthetic).findings, size).filter(({ picture }) => has(picture, synthetic));
      expect(marked.map(({ findingId }) => findingId)).toEqual(isSynthetic ? ['modic/L4-L5'] : []);
    }
  });

  it('is there for every finding with a drawing, however odd', () => {
    const spine = smallSpine();
    const drawing = report().findings[0]!.drawing!;
    expect(evidencePictures(spine, report().findings, size).map(({ findingId }) => findingId)).toEqual(['centralCanal/L4-L5', 'modic/L4-L5']);
    expect(evidencePicture(spine, { id: 'a', ...finding('cobb') }, size)).toBeUndefined();
    expect(evidencePicture(spine, { id: 'a', ...finding('cobb', { drawing: { ...drawing, seriesIndex: 7 } }) }, size)).toBeUndefined();
    for (const odd of [{ sliceIndex: 99 }, { centreMm: [900, 900, 900] as const }, { extentMm: 0.001 }, { outlines: [bodyCode('C7')] }, { areas: [{ pointsMm: [], text: 'x' }] }]) {
      expect(evidencePicture(spine, { id: 'a', ...finding('cobb', { drawing: { ...drawing, ...odd } }) }, size)!.columns).toBe(size);
    }
  });
});

describe('the page', () => {
  it('is a page, is the same every time, and tells synthetic, uncertain and changed from the rest', () => {
    const plain = summaryPage(smallSpine(), report());
    expect([plain.columns, plain.rows, plain.channels]).toEqual([1240, 1754, 3]);
    expect(has(plain, synthetic)).toBe(false);
    const marked = summaryPage(smallSpine(true, false), report(true, false));
    expect(has(marked, synthetic)).toBe(true);
    expect(Buffer.compare(marked.data as Uint8Array, summaryPage(smallSpine(true, false), report(true, false)).data as Uint8Array)).toBe(0);
    const changed = changeGrade(report(), { findingId: 'foramen/L4-L5/left', scale: 'foramen', value: 'mild', by: 'x', at: '2026-02-03T05:00:00Z' });
    expect(Buffer.compare(plain.data as Uint8Array, summaryPage(smallSpine(), changed).data as Uint8Array)).not.toBe(0);
    if (process.env.CONUS_PICTURES !== undefined) {
      mkdirSync(process.env.CONUS_PICTURES, { recursive: true });
      writeFileSync(`${process.env.CONUS_PICTURES}/page.png`, encodePng(marked));
    }
  });

  it('stands for a spine in which nothing was found', () => {
    const spine = { ...smallSpine(), stacks: [], vertebrae: [], segments: [] };
    expect(summaryPage(spine, { ...report(), levels: [], findings: [], notAssessed: [], sentences: [] }).rows).toBe(1754);
  });
});
