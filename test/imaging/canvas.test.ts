import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Canvas, lineHeight, textWidth, wrapped } from '../../imaging/index.js';

const white = [255, 255, 255] as const;
const black = [0, 0, 0] as const;
/** How much of a page is black, pixels. */
const inked = (canvas: Canvas) => (canvas.picture.data as Uint8Array).reduce((sum, value) => sum + (255 - value), 0) / 255 / 3;

describe('a line', () => {
  it('covers its length times its width, wherever and however it lies', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 6.28, noNaN: true }), fc.double({ min: 1, max: 4, noNaN: true }), (angle, width) => {
      const canvas = new Canvas(120, 120, white);
      const [u, v] = [Math.cos(angle), Math.sin(angle)];
      canvas.line([60 - 40 * u, 60 - 40 * v], [60 + 40 * u, 60 + 40 * v], black, width);
      // Round ends of half the width.
      const area = 80 * width + (Math.PI / 4) * width * width;
      expect(Math.abs(inked(canvas) - area) / area).toBeLessThan(0.06);
    }), { numRuns: 30 });
  });

  it('is cut off at the edge of the page', () => {
    const canvas = new Canvas(20, 10, white);
    canvas.line([-50, 5], [70, 5], black, 1);
    expect(inked(canvas)).toBeCloseTo(20, 0);
    canvas.text(-30, -30, 'beyond', { size: 20, colour: black });
    canvas.fill(-5, -5, 100, 100, black);
    expect(inked(canvas)).toBe(200);
  });
});

describe('text', () => {
  it('fits the width that is told, one letter after the other', () => {
    const line = 'L4-L5: 82 mm², 12.5° (moderate)';
    expect(textWidth(line, 14)).toBeCloseTo([...line].reduce((sum, character) => sum + textWidth(character, 14), 0), 9);
    const canvas = new Canvas(600, 40, white);
    expect(canvas.text(10, 10, line, { size: 14, colour: black })).toBeCloseTo(10 + textWidth(line, 14), 9);
    const { data, columns } = canvas.picture;
    const beyond = Array.from({ length: 40 * columns }, (_, i) => i).filter((i) => data[3 * i]! < 200 && (i % columns < 9 || i % columns > 11 + textWidth(line, 14)));
    expect(beyond).toEqual([]);
  });

  it('has a glyph of its own for every sign that reports use', () => {
    const drawn = new Set<string>();
    const characters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;()/%+-=<>²³°±·–'];
    for (const character of characters) {
      const canvas = new Canvas(40, 40, white);
      canvas.text(10, 8, character, { size: 20, colour: black });
      expect(inked(canvas), character).toBeGreaterThan(1);
      drawn.add(Buffer.from(canvas.picture.data as Uint8Array).toString('base64'));
    }
    // I and l are one line in this face.
    expect(drawn.size).toBe(characters.length - 1);
  });

  it('is wrapped within its column, and no word is lost', () => {
    fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-zA-Z0-9]{1,24}$/), { maxLength: 30 }), fc.integer({ min: 60, max: 400 }), (words, width) => {
      const lines = wrapped(words.join(' '), 12, width);
      for (const line of lines) expect(textWidth(line, 12)).toBeLessThanOrEqual(width);
      expect(lines.join('').replaceAll(' ', '')).toBe(words.join(''));
    }));
    const canvas = new Canvas(200, 200, white);
    expect(canvas.paragraph(0, 10, 80, 'one two three four five', { size: 12, colour: black })).toBe(10 + wrapped('one two three four five', 12, 80).length * lineHeight(12));
  });
});
