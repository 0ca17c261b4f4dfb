/** What the values of options must be. Whoever gives another is told so by commander. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { LightFallback } from '../../recon/index.js';
import { knownConfigNames } from '../chain/index.js';

export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${minimum} to ${maximum}.`);
  };
}

export function wholeNumbers(minimum: number, maximum: number): (text: string) => number[] {
  const one = wholeNumber(minimum, maximum);
  return (text) => [...new Set(text.split(',').map(one))].sort((a, b) => a - b);
}

/** Without what is undefined. */
export function defined<Value extends object>(value: Value): { [Key in keyof Value]?: NonNullable<Value[Key]> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as { [Key in keyof Value]?: NonNullable<Value[Key]> };
}

export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

export function keyValue(text: string, previous: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

export function percent(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 100.');
}

/** What becomes of an image by its quality light. */
export function lightFallback(text: string): LightFallback {
  const value = Number(text);
  if (text === 'deliver' || text === 'end') return text;
  if (text.trim() !== '' && value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError('Expected deliver, end, or a number from 1 to 100.');
}

/** Rows x columns, as 320x256; one number is both. */
export function matrix(text: string): { rows: number; columns: number } {
  const [rows, columns = rows, ...more] = text.split('x').map(Number);
  const isSize = (value: number | undefined): value is number => value !== undefined && Number.isInteger(value) && value >= 1 && value <= 8192;
  if (isSize(rows) && isSize(columns) && more.length === 0) return { rows, columns };
  throw new InvalidArgumentError('Expected ROWSxCOLUMNS, as 320x256.');
}

/** A value that may be given several times. */
export function collected(text: string, previous: readonly string[]): string[] {
  return [...previous, text];
}

/** Zero or more. */
export function notNegative(text: string): number {
  return Number(text) === 0 && text.trim() !== '' ? 0 : positive(text);
}

export function finite(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

/** Joined by commas. */
export function list(text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '');
}

/** Numbers above 0, joined by commas, in their order. */
export function positives(text: string): number[] {
  return list(text).map(positive);
}

/** Names joined by commas, each of them known. */
export function namesOf<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    list(text).map((part) => {
      const name = known.find((entry) => entry === part);
      if (name !== undefined) return name;
      throw new InvalidArgumentError(`Expected some of ${known.join(',')}; ${JSON.stringify(part)} is none.`);
    });
}

/** Two lengths, or one for both: between rows, between columns. */
export function spacingOf(text: string): readonly [number, number] {
  const [rows, columns = rows, ...more] = text.split(',').map(Number);
  const isLength = (value: number | undefined): value is number => value !== undefined && value > 0 && value <= 20;
  if (isLength(rows) && isLength(columns) && more.length === 0) return [rows, columns];
  throw new InvalidArgumentError('Expected mm between rows and columns, as 0.8,0.8.');
}

/** What is to be reconstructed, and how. */
export function withChoice(subcommand: Command): Command {
  return subcommand
    .option('--set <key=value>', 'a parameter that wins over what the client asks for; may be repeated', keyValue, {})
    .option('--chain <name>', `a chain that wins over what the client asks for: ${knownConfigNames.join(', ')}`);
}
