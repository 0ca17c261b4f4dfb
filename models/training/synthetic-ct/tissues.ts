/** Prints the tissues of imaging/tissues.ts and fat at both field strengths as JSON, for labelled.py: npx tsx tissues.ts > TISSUES.json */
import { fatAt, tissueAt, tissueNames } from '../../../imaging/index.js';

const fields = [1.5, 3] as const;
const all = fields.map((field) => [field, { fat: fatAt(field), tissues: Object.fromEntries(tissueNames.map((name) => [name, tissueAt(name, field)])) }]);
process.stdout.write(`${JSON.stringify(Object.fromEntries(all))}\n`);
