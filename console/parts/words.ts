/** Times, sizes and contrasts in words. */
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

/** Of the day; with the date where that is another one. */
export function timeOf(at: number, now = Date.now()): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return isToday ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  const value = n / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]!}`;
}

/** Three digits that count. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 100 ? String(Math.round(value)) : size >= 0.01 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

const roles: Readonly<Record<string, string>> = {
  t1w: 'T1w', t2w: 'T2w', pdw: 'PDw', stir: 'STIR', t2fs: 'T2 fat-sat', t1fs: 'T1 fat-sat', pdfs: 'PD fat-sat', dixon: 'Dixon', ct: 'CT', localizer: 'Localiser',
};

export const roleName = (role: string): string => roles[role] ?? role;

const outputs: Readonly<Record<string, string>> = {
  image: 'Image', denoised: 'Denoised', residual: 'Residual', gFactor: 'g-factor', noise: 'Noise', snr: 'SNR',
  low: 'Interval, low end', high: 'Interval, high end', fatFraction: 'Fat fraction', pairResidual: 'Pair residual',
};

export const outputName = (kind: string): string => outputs[kind] ?? kind;

/** Family and given name of `Meier^Anna^…`, as DICOM writes names. */
export function patientName(name: string | undefined): string {
  if (name === undefined || name.trim() === '') return 'no name';
  return name.split('^').filter((part) => part !== '').slice(0, 2).join(', ');
}
