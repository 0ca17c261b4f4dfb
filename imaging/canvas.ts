/**
 * A page to draw on: colour pictures with lines, areas and text, edges smoothed.
 *
 *   coverage of a pixel by a line of width w = clamp(w / 2 + 1/2 - d, 0, 1),   d its distance from the line, pixels
 *   colour = colour + coverage * (pen - colour)
 *
 * x counts columns to the right, y rows downwards; whole numbers are the middles of pixels.
 */
import { ImagingError } from './errors.js';
import type { Picture } from './png.js';
import { capHeight, capTop, glyphOf } from './strokeFont.js';

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [number, number, number];
export type Point2 = readonly [x: number, y: number];

export interface TextStyle {
  /** Height of a capital, pixels. */
  readonly size: number;
  readonly colour: Colour;
  /** Thickness of the strokes; by the size where it is absent. */
  readonly strokePixels?: number;
  /** Drawn around the letters, for text over images. */
  readonly halo?: Colour;
}

const emptyLineShare = 0.75;

/** From one line of text to the next, pixels. */
export function lineHeight(size: number): number {
  return Math.round(size * (1 + emptyLineShare));
}

/** Of a line of text, pixels. */
export function textWidth(text: string, size: number): number {
  const units = [...text].reduce((sum, character) => {
    const { left, right } = glyphOf(character);
    return sum + right - left;
  }, 0);
  return (units * size) / capHeight;
}

/** Words in lines of at most `width` pixels; a word that is longer is broken. */
export function wrapped(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer, size) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const character of word) {
      if (line !== '' && textWidth(line + character, size) > width) {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  return line === '' ? lines : [...lines, line];
}

export class Canvas {
  readonly rows: number;
  readonly columns: number;
  readonly #data: Uint8Array;

  /** @throws IMG_ERR_SHAPE where a size is no whole number from 1 */
  constructor(columns: number, rows: number, background: Colour) {
    if (![columns, rows].every((size) => Number.isInteger(size) && size > 0)) throw new ImagingError('IMG_ERR_SHAPE', `a page of ${columns} x ${rows}`);
    this.columns = columns;
    this.rows = rows;
    this.#data = new Uint8Array(3 * columns * rows);
    this.fill(0, 0, columns, rows, background);
  }

  get picture(): Picture {
    return { rows: this.rows, columns: this.columns, channels: 3, data: this.#data };
  }

  fill(x: number, y: number, width: number, height: number, [red, green, blue]: Colour): void {
    const right = Math.min(this.columns, Math.round(x + width));
    const bottom = Math.min(this.rows, Math.round(y + height));
    for (let row = Math.max(0, Math.round(y)); row < bottom; row++) {
      for (let column = Math.max(0, Math.round(x)); column < right; column++) {
        const at = 3 * (row * this.columns + column);
        this.#data[at] = red;
        this.#data[at + 1] = green;
        this.#data[at + 2] = blue;
      }
    }
  }

  /** Its upper left corner at (x, y); what is beyond the page is cut off. @throws IMG_ERR_SHAPE for 16-bit pictures */
  place(picture: Picture, x: number, y: number): void {
    if (picture.data instanceof Uint16Array) throw new ImagingError('IMG_ERR_SHAPE', 'a 16-bit picture on a page');
    const { rows, columns, channels, data } = picture;
    for (let row = Math.max(0, -y); row < Math.min(rows, this.rows - y); row++) {
      for (let column = Math.max(0, -x); column < Math.min(columns, this.columns - x); column++) {
        const from = (row * columns + column) * channels;
        const to = 3 * ((y + row) * this.columns + x + column);
        for (let channel = 0; channel < 3; channel++) this.#data[to + channel] = data[from + (channels === 3 ? channel : 0)]!;
      }
    }
  }

  /** Mixes a pixel with a colour. @param share 0 to 1 */
  blend(column: number, row: number, colour: Colour, share: number): void {
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return;
    const at = 3 * (row * this.columns + column);
    for (let channel = 0; channel < 3; channel++) {
      this.#data[at + channel] = Math.round(this.#data[at + channel]! + share * (colour[channel]! - this.#data[at + channel]!));
    }
  }

  line([x0, y0]: Point2, [x1, y1]: Point2, colour: Colour, width = 1): void {
    const reach = width / 2 + 1;
    const dx = x1 - x0;
    const dy = y1 - y0;
    const squared = dx * dx + dy * dy;
    const from = { column: Math.max(0, Math.floor(Math.min(x0, x1) - reach)), row: Math.max(0, Math.floor(Math.min(y0, y1) - reach)) };
    const to = { column: Math.min(this.columns - 1, Math.ceil(Math.max(x0, x1) + reach)), row: Math.min(this.rows - 1, Math.ceil(Math.max(y0, y1) + reach)) };
    for (let row = from.row; row <= to.row; row++) {
      for (let column = from.column; column <= to.column; column++) {
        const t = squared === 0 ? 0 : Math.min(1, Math.max(0, ((column - x0) * dx + (row - y0) * dy) / squared));
        const awayX = column - x0 - t * dx;
        const awayY = row - y0 - t * dy;
        const coverage = width / 2 + 0.5 - Math.sqrt(awayX * awayX + awayY * awayY);
        if (coverage > 0) this.blend(column, row, colour, Math.min(1, coverage));
      }
    }
  }

  polyline(points: readonly Point2[], colour: Colour, width = 1): void {
    points.slice(1).forEach((point, index) => this.line(points[index]!, point, colour, width));
  }

  frame(x: number, y: number, width: number, height: number, colour: Colour, thickness = 1): void {
    const [right, bottom] = [x + width, y + height];
    this.polyline([[x, y], [right, y], [right, bottom], [x, bottom], [x, y]], colour, thickness);
  }

  /** One line of text, the top of its capitals at y; where it ends. */
  text(x: number, y: number, line: string, { size, colour, strokePixels = Math.max(1, size / 9), halo }: TextStyle): number {
    if (halo !== undefined) this.#strokes(x, y, line, size, halo, strokePixels + 2);
    return this.#strokes(x, y, line, size, colour, strokePixels);
  }

  /** Text in a column of `width` pixels; the y below its last line. */
  paragraph(x: number, y: number, width: number, content: string, style: TextStyle): number {
    const lines = wrapped(content, style.size, width);
    lines.forEach((line, index) => this.text(x, y + index * lineHeight(style.size), line, style));
    return y + lines.length * lineHeight(style.size);
  }

  #strokes(x: number, y: number, line: string, size: number, colour: Colour, width: number): number {
    const scale = size / capHeight;
    let left = x;
    for (const character of line) {
      const glyph = glyphOf(character);
      for (const stroke of glyph.strokes) {
        this.polyline(stroke.map(([u, v]): Point2 => [left + (u - glyph.left) * scale, y + (v - capTop) * scale]), colour, width);
      }
      left += (glyph.right - glyph.left) * scale;
    }
    return left;
  }
}
