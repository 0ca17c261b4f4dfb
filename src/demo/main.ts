/** `npm run demo [-- FILE]` */
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runDemo } from './demo.js';
import { demoScan } from './phantom.js';

const [file] = process.argv.slice(2);
const print = (line: string) => process.stdout.write(`${line}\n`);
const name = file === undefined ? 'phantom' : basename(file, extname(file));

print('Conus is research software. Its images are not for diagnosis.\n');
const files = await runDemo({
  conus: {
    mainPath: fileURLToPath(new URL('../main.js', import.meta.url)),
    announce: (line) => print(`$ ${line}`),
  },
  outputDirectory: join('demo-output', name),
  input: file === undefined ? { scan: demoScan } : { file },
  print,
});
print(`\nWritten: ${files.join(', ')}`);
