/** Whether options lie in the ranges that their documentation gives. */
import { simulatorError } from './errors.js';

/** Name, value, smallest and largest value that is allowed. */
export type AllowedRange = readonly [name: string, value: number, smallest: number, largest: number];

/** @throws SIM_ERR_OPTION, naming the first option that is no whole number in its range */
export function checkWholeNumbers(ranges: readonly AllowedRange[]): void {
  for (const [name, value, smallest, largest] of ranges) {
    if (Number.isInteger(value) && value >= smallest && value <= largest) continue;
    throw simulatorError('SIM_ERR_OPTION', `${name} = ${value}; whole numbers from ${smallest} to ${largest} are allowed`);
  }
}
