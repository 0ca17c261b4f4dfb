import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chart, html, largestBeside, niceCeiling, shortNumber, ticksOver, widthOf } from '../../../src/report/index.js';

describe('html', () => {
  it('shows what is put in as text, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const shown = html`<b title="${text}">${text}</b>`.text;
        expect(shown.match(/[<>]/g)).toHaveLength(4);
        expect(shown.split('"')).toHaveLength(3);
      }),
    );
    expect(html`${'<script>alert("1 & \'2\'")</script>'}`.text).toBe('&lt;script&gt;alert(&quot;1 &amp; &#39;2&#39;&quot;)&lt;/script&gt;');
  });

  it('puts markup and lists of it in as they are, and nothing for what is not there', () => {
    expect(html`<ul>${['a<', 'b'].map((item) => html`<li>${item}</li>`)}${undefined}${3}</ul>`.text).toBe('<ul><li>a&lt;</li><li>b</li>3</ul>');
  });
});

describe('a chart', () => {
  it('has round ticks that span the values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 }), (values) => {
        const ticks = ticksOver(values);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(9);
        const tolerance = 1e-6 * (ticks.at(-1)! - ticks[0]!);
        expect(ticks.every((tick, i) => i === 0 || tick > ticks[i - 1]!)).toBe(true);
        for (const value of values) {
          expect(value).toBeGreaterThanOrEqual(ticks[0]! - tolerance);
          expect(value).toBeLessThanOrEqual(ticks.at(-1)! + tolerance);
        }
      }),
    );
    expect(ticksOver([0, 0.37])).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
  });

  it('tells curves apart by shape and dash, and names every point', () => {
    const curve = (hue: number, dash: number) => ({ hue, dash, points: [{ x: 1, y: 2, title: `point <${hue}>` }] });
    const { text } = chart({ title: 'a & b', xLabel: 'x', yLabel: 'y', curves: [curve(0, 0), curve(1, 1), curve(2, 2), curve(3, 0)], limit: { y: 3, label: 'limit 3' } });
    for (const shape of ['<circle', '<rect', 'l5 9 h-10 z', 'l5 5.5 l-5 5.5']) expect(text).toContain(shape);
    expect(text).toContain('stroke-dasharray="7 4"');
    expect(text).toContain('<title>point &lt;0&gt;</title>');
    expect(text).toContain('a &amp; b');
    expect(text).not.toContain('NaN');
  });
});

describe('numbers for people', () => {
  it('are short', () => {
    expect([0, 1, 2.999, 0.04567, 1234567, 0.00001].map(shortNumber)).toEqual(['0', '1', '3', '0.0457', '1.23e+6', '1.00e-5']);
  });

  it('have round ceilings', () => {
    expect([0.9, 1, 1.2, 17, 230, 0].map(niceCeiling)).toEqual([1, 1, 1.5, 20, 250, 1]);
  });
});

describe('a point-spread function', () => {
  const sinc = (n: number, zoom: number) =>
    Array.from({ length: n }, (_, i) => {
      const x = (Math.PI * (i - n / 2)) / zoom;
      return x === 0 ? 1 : Math.abs(Math.sin(x) / x);
    });

  it('has the width of its half maximum', () => {
    // |sinc(x)| is a half at 0.6034 of its first zero.
    expect(widthOf(sinc(256, 16))).toBeCloseTo(2 * 0.6034 * 16, 1);
    expect(widthOf([0, 0, 1, 0])).toBe(1);
    expect(widthOf([1, 1, 1, 1])).toBe(4);
  });

  it('has side lobes and ghosts beyond its first minimum', () => {
    // The first side lobe of a sinc is 21.7 % high.
    expect(largestBeside(sinc(256, 16))).toBeCloseTo(0.2172, 2);
    expect(largestBeside([0.3, 0, 0, 0, 1, 0, 0, 0])).toBeCloseTo(0.3, 9);
    expect(largestBeside([0, 0, 1, 0])).toBe(0);
  });
});
