/** A line of text over a picture, in a font of 3 x 5 dots: enough to tell the pictures of a montage apart. */
import { ImagingError } from './errors.js';
import type { Picture } from './png.js';

/** Five octal digits a glyph: a digit is a row, its bits are dots from left to right. */
const glyphs: Readonly<Record<string, string>> = {
  A: '25755', B: '65656', C: '34443', D: '65556', E: '74647', F: '74644', G: '34553', H: '55755', I: '72227',
  J: '11152', K: '55655', L: '44447', M: '57755', N: '65555', O: '25552', P: '65644', Q: '25563', R: '65655',
  S: '34216', T: '72222', U: '55557', V: '55552', W: '55775', X: '55255', Y: '55222', Z: '71247',
  0: '75557', 1: '26227', 2: '71747', 3: '71317', 4: '55711', 5: '74717', 6: '74757', 7: '71122', 8: '75757',
  9: '75717', '.': '00002', ',': '00024', ':': '02020', '-': '00700', '+': '02720', '=': '07070', '/': '11244',
  '%': '51245', '(': '24442', ')': '21112',
};
const glyphColumns = 3;
const glyphRows = 5;
const dotPixels = 2;
const marginPixels = 3;

/**
 * The picture under a strip with white text; letters become capitals, unknown characters spaces,
 * what is too long is cut off.
 * @throws IMG_ERR_SHAPE for 16-bit pictures
 */
export function captioned(picture: Picture, text: string): Picture {
  if (picture.data instanceof Uint16Array) throw new ImagingError('IMG_ERR_SHAPE', 'a 16-bit picture for a caption');
  const { columns, channels } = picture;
  const stripRows = glyphRows * dotPixels + 2 * marginPixels;
  const data = new Uint8Array((picture.rows + stripRows) * columns * channels);
  data.set(picture.data, stripRows * columns * channels);

  const characterPixels = (glyphColumns + 1) * dotPixels;
  const room = Math.floor((columns - 2 * marginPixels) / characterPixels);
  [...text.toUpperCase()].slice(0, room).forEach((character, place) => {
    const glyph = glyphs[character];
    if (glyph === undefined) return;
    const left = marginPixels + place * characterPixels;
    for (let y = 0; y < glyphRows * dotPixels; y++) {
      const bits = Number(glyph[Math.floor(y / dotPixels)]);
      for (let x = 0; x < glyphColumns * dotPixels; x++) {
        if ((bits & (4 >> Math.floor(x / dotPixels))) === 0) continue;
        const pixel = (marginPixels + y) * columns + left + x;
        data.fill(255, pixel * channels, (pixel + 1) * channels);
      }
    }
  });
  return { rows: picture.rows + stripRows, columns, channels, data };
}
