import tseslint from 'typescript-eslint';

// The house, lowest storey first: what each folder may know beside itself.
const knows = {
  ismrmrd: [],
  imaging: [],
  protocols: [],
  recon: ['imaging', 'ismrmrd'],
  models: ['imaging', 'ismrmrd'],
  synth: ['models', 'imaging', 'ismrmrd'],
  analysis: ['models', 'imaging', 'ismrmrd'],
  simulator: ['recon', 'imaging', 'ismrmrd', 'protocols'],
  // It talks to the service over HTTP and the live channel only.
  console: [],
  src: ['simulator', 'analysis', 'synth', 'models', 'recon', 'protocols', 'imaging', 'ismrmrd'],
};
const folders = Object.keys(knows);

/** Forbids unknown folders, and known ones past their index.ts. */
function storey(folder, known = knows[folder], files = [`${folder}/**/*.{ts,tsx}`]) {
  const forbidden = folders.filter((other) => other !== folder && !known.includes(other));
  const faces = folders.filter((other) => other !== folder && other !== 'ismrmrd');
  const patterns = [
    ...forbidden.map((other) => ({
      group: other === 'ismrmrd' ? ['ismrmrd', 'ismrmrd/*', '**/ismrmrd/**'] : [`../**/${other}/**`],
      message: `${folder}/ must not depend on ${other}/: dependencies point downwards (CONTRIBUTING.md).`,
    })),
    ...faces
      .filter((other) => !forbidden.includes(other))
      .map((other) => ({
        group: [`../**/${other}/**`, `!../**/${other}/index.js`],
        message: `Import ${other}/ by its face, ${other}/index.js.`,
      })),
    { group: ['ismrmrd/*'], message: 'Import the format package by its name, ismrmrd.' },
  ];
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', '**/assembly/**', '**/*.generated.ts', 'demo-output/**', 'coverage/**', '.venv/**', 'console/vite.config.ts'],
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strict],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.test.json', './console/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Typed arrays are indexed in bounds by construction; `!` says so where the compiler cannot know.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Node's WebAssembly is declared by hand (recon/kernels/webassembly.ts).
      '@typescript-eslint/no-namespace': ['error', { allowDeclarations: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  ...folders.map((folder) => storey(folder)),
  // What models are trained with is no part of the service: it may ask the simulator for patients.
  storey('models', ['synth', 'simulator', 'imaging', 'ismrmrd'], ['models/training/**/*.ts']),
  { files: ['bench/**/*.ts', 'test/**/*.ts'], rules: { 'no-console': 'off' } },
);
