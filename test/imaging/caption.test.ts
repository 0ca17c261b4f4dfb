import { describe, expect, it } from 'vitest';
import { captioned, type Picture } from '../../imaging/index.js';

const picture: Picture = { rows: 2, columns: 60, channels: 3, data: new Uint8Array(360).fill(7) };
const drawn = (text: string) => {
  const { rows, columns, data } = captioned(picture, text);
  return Array.from({ length: rows - 2 }, (_, row) =>
    Array.from({ length: columns }, (_, column) => (data[3 * (row * columns + column)] ? '#' : ' ')).join('').trimEnd(),
  );
};

describe('captioned', () => {
  it('leaves the picture as it is, under the strip', () => {
    const { rows, columns, channels, data } = captioned(picture, 'R = 2');
    expect([columns, channels]).toEqual([60, 3]);
    expect(data.length).toBe(rows * columns * channels);
    expect(data.subarray(data.length - 360)).toEqual(picture.data);
  });

  it('draws letters that can be read, from left to right', () => {
    const rows = drawn('TL').filter((row) => row !== '').filter((_, index) => index % 2 === 0);
    expect(rows.map((row) => row.replace(/(.)\1/g, '$1').trim())).toEqual(['### #', '#  #', '#  #', '#  #', '#  ###']);
  });

  it('takes small letters for capitals, leaves unknown characters blank, and cuts what is too long', () => {
    expect(drawn('abc')).toEqual(drawn('ABC'));
    expect(drawn('A~B')).toEqual(drawn('A B'));
    expect(drawn('TTTTTTTTTTTT')).toEqual(drawn('TTTTTT'));
  });

  it('refuses 16-bit pictures', () => {
    expect(() => captioned({ rows: 1, columns: 1, channels: 1, data: new Uint16Array(1) }, 'A')).toThrow('IMG_ERR_SHAPE');
  });
});
