/** The chains that this server has, and the config names by which clients ask for them. */
import { chainError } from './errors.js';
import type { Parameters } from './parameters.js';

/** What becomes of the data of a session. */
export type ChainTask =
  /** Raw data are reconstructed; images that come in are returned as they are. */
  | 'reconstruct'
  /** Everything is taken and nothing is answered but CLOSE. */
  | 'discard'
  /** As `discard`, in a server that saves raw data. */
  | 'save'
  /** A noise measurement to be stored, and the question which ones are (Gadgetron's noise dependency). */
  | 'dependencies';

export interface Chain {
  readonly name: string;
  readonly task: ChainTask;
  /** Further config names that mean this chain; names are compared without case. */
  readonly aliases: readonly string[];
  /** What this chain sets differently from the defaults. */
  readonly parameters: Partial<Parameters>;
  readonly description: string;
}

export const CHAINS: readonly Chain[] = [
  {
    name: 'default',
    task: 'reconstruct',
    aliases: ['default.xml'],
    parameters: {},
    description: 'everything chosen from the header',
  },
  {
    name: 'grappa',
    task: 'reconstruct',
    aliases: ['grappa.xml', 'Generic_Cartesian_Grappa.xml'],
    parameters: { unalias: 'grappa' },
    description: 'GRAPPA where the header says that lines are missing',
  },
  {
    name: 'simplefft',
    task: 'reconstruct',
    aliases: [],
    parameters: { combine: 'rss', unalias: 'none', prewhiten: false, denoise: 0 },
    description: 'Fourier transform and root-sum-of-squares, nothing else',
  },
  {
    name: 'openrecon',
    task: 'reconstruct',
    aliases: [],
    parameters: { pixelType: 'int16' },
    description: 'as default, for an OpenRecon host: int16 pixels',
  },
  {
    name: 'invertcontrast',
    task: 'reconstruct',
    aliases: [],
    parameters: { denoise: 0 },
    description: "the connection test of FIRE's example server: as default, and says that nothing is inverted",
  },
  { name: 'null', task: 'discard', aliases: [], parameters: {}, description: 'takes everything, answers CLOSE' },
  {
    name: 'savedataonly',
    task: 'save',
    aliases: [],
    parameters: {},
    description: 'as null, in a server that saves raw data (--save-raw)',
  },
  {
    name: 'dependencies',
    task: 'dependencies',
    aliases: ['gtquery.xml', 'default_measurement_dependencies.xml'],
    parameters: {},
    description: 'stores a noise measurement in a server that keeps them (--noise-store), and answers which ones are stored',
  },
];

const byName = new Map<string, Chain>(
  CHAINS.flatMap((chain) => [chain.name, ...chain.aliases].map((name) => [name.toLowerCase(), chain] as const)),
);

/** Every config name that is understood, in the order of the table. */
export const knownConfigNames: readonly string[] = CHAINS.flatMap((chain) => [chain.name, ...chain.aliases]);

/**
 * The chain of a config name. A name is only ever looked up in the table: a path is no name.
 * @throws CodedError CONUS_ERR_UNKNOWN_CONFIG with the list of the known names
 */
export function chainNamed(name: string): Chain {
  const chain = byName.get(name.trim().toLowerCase());
  if (chain !== undefined) return chain;
  throw chainError(
    'CONUS_ERR_UNKNOWN_CONFIG',
    `config ${JSON.stringify(name.slice(0, 80))} (known: ${knownConfigNames.join(', ')})`,
  );
}
