/**
 * Which chain a session gets, and with which parameters, gathered from its first messages. Later
 * sources win: defaults, standards of the service, chain, exam protocol, header user parameters, config text, TEXT
 * messages, the operator at the console, `--set`.
 */
import type { MrdHeader } from 'ismrmrd';
import type { Decision, DecisionOrigin, ReconNotice } from '../../recon/index.js';
import { chainNamed } from './chains.js';
import type { Chain } from './chains.js';
import { parseConfigText } from './configText.js';
import { chainError, chainWarning } from './errors.js';
import { defaultParameters, isParameterName, parseParameter } from './parameters.js';
import type { ParameterName, Parameters } from './parameters.js';

export interface Choice {
  readonly chain: Chain;
  readonly parameters: Parameters;
  readonly decisions: readonly Decision[];
  readonly notices: readonly ReconNotice[];
}

/** In order of precedence, the last one wins. */
const sources = ['protocol', 'header', 'config', 'text', 'console', 'command line'] as const;
type Source = (typeof sources)[number];
const originOf: Readonly<Record<Source, DecisionOrigin>> = {
  protocol: 'protocol', header: 'header', config: 'client', text: 'client', console: 'operator', 'command line': 'operator',
};

interface Given {
  readonly value: unknown;
  /** The field, message or option that gave it. */
  readonly source: string;
  /** Where there is more to tell than that it was asked for. */
  readonly because?: string;
}

/** Keys of FIRE's and OpenRecon's JSON that name the chain, the first that says something wins. */
const chainKeys: readonly string[] = ['customconfig', 'config'];

/** A value that another option of the command line implies. */
export interface Implied {
  readonly name: ParameterName;
  readonly value: string;
  /** That option. */
  readonly source: string;
}

/** Values in place of the defaults, for what the service has. */
export type Standards = { readonly [Name in ParameterName]?: { readonly value: Parameters[Name]; readonly because: string; readonly source: string } };

/** What others than its client say of a scan: the protocol of its exam, and whoever is at the console. */
export interface Guidance {
  readonly protocol?: {
    /** Also taken where the client leaves the chain to the service. */
    readonly chain?: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly source: string;
  };
  readonly operator?: { readonly denoisePercent: number; readonly because: string; readonly source: string };
}

export interface ChoiceOptions {
  readonly standards?: Standards;
  /** Values that win over everything, as `--set key=value` gives them. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Values that win over everything but `overrides`. */
  readonly implied?: readonly Implied[];
  /** A chain that wins over everything, as `--chain` gives it. */
  readonly chain?: string;
}

export class ChainChoice {
  readonly #given: Record<Source, Partial<Record<ParameterName, Given>>> = {
    protocol: {}, header: {}, config: {}, text: {}, console: {}, 'command line': {},
  };
  #chain: Chain = chainNamed('default');
  #because: Decision = {
    what: 'chain', value: 'default', because: 'there is no config', source: 'no CONFIG message', origin: 'default',
  };
  readonly #fixedChain: boolean;
  readonly #standards: Standards;

  /** @throws CodedError CONUS_ERR_PARAMETER, CONUS_ERR_UNKNOWN_CONFIG */
  constructor(options: ChoiceOptions = {}) {
    this.#fixedChain = options.chain !== undefined;
    this.#standards = options.standards ?? {};
    if (options.chain !== undefined) {
      this.#setChain(options.chain, 'the command line says so', '--chain');
    }
    for (const { name, value, source } of options.implied ?? []) this.#give('command line', name, value, source);
    for (const [name, value] of Object.entries(options.overrides ?? {})) {
      if (!isParameterName(name)) throw chainError('CONUS_ERR_PARAMETER', `--set ${name}, which is no parameter`);
      this.#give('command line', name, value, `--set ${name}`);
    }
  }

  /** The chain as far as it is known. */
  get chain(): Chain {
    return this.#chain;
  }

  /** @throws CodedError CONUS_ERR_UNKNOWN_CONFIG */
  configFile(name: string): void {
    if (!this.#fixedChain) this.#setChain(name, `the client asks for ${JSON.stringify(name.trim())}`, 'CONFIG_FILE message');
  }

  /** @throws CodedError CONUS_ERR_UNKNOWN_CONFIG, CONUS_ERR_CONFIG_TEXT, CONUS_ERR_PARAMETER */
  configText(text: string): ReconNotice[] {
    if (this.#fixedChain) return [];
    const config = parseConfigText(text);
    this.#setChain(config.chain, config.because, 'CONFIG_TEXT message');
    return this.#take('config', config.parameters, 'CONFIG_TEXT message');
  }

  /**
   * User parameters of the header whose names are parameters here; others are other systems' own.
   * @throws CodedError CONUS_ERR_PARAMETER
   */
  header(header: MrdHeader): void {
    const user = header.userParameters;
    const kinds = ['userParameterLong', 'userParameterDouble', 'userParameterString'] as const;
    for (const kind of kinds) {
      for (const { name, value } of user?.[kind] ?? []) {
        if (isParameterName(name)) this.#give('header', name, value, `userParameters.${kind} ${name}`);
      }
    }
  }

  /**
   * A TEXT message: parameters when it is a JSON object, else just text.
   * @returns remarks on what was left out
   * @throws CodedError CONUS_ERR_PARAMETER, CONUS_ERR_UNKNOWN_CONFIG
   */
  text(text: string): ReconNotice[] {
    if (!isJsonObjectText(text)) return [];
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return [chainWarning('CONUS_WARN_TEXT_IGNORED', 'A TEXT message starts with a brace and is not JSON')];
    }
    const body = value as Record<string, unknown>;
    const given = isRecord(body['parameters']) ? body['parameters'] : body;
    for (const key of chainKeys) {
      const name = given[key];
      if (typeof name !== 'string' || name === '' || this.#fixedChain) continue;
      this.#setChain(name, `parameters.${key} of the client says so`, 'TEXT message');
      break;
    }
    return this.#take('text', given, 'TEXT message');
  }

  /** @throws CodedError CONUS_ERR_PARAMETER, CONUS_ERR_UNKNOWN_CONFIG */
  guided({ protocol, operator }: Guidance): void {
    if (protocol !== undefined) {
      const { chain, parameters, source } = protocol;
      if (chain !== undefined && !this.#fixedChain && this.#chain.name === 'default') {
        this.#chain = chainNamed(chain);
        this.#because = { what: 'chain', value: this.#chain.name, because: 'the client leaves it to the service', source, origin: 'protocol' };
      }
      for (const [name, value] of Object.entries(parameters)) if (isParameterName(name)) this.#give('protocol', name, value, source);
    }
    if (operator !== undefined) this.#give('console', 'denoise', operator.denoisePercent, operator.source, operator.because);
  }

  choose(): Choice {
    const decisions: Decision[] = [this.#because];
    const chosen: Record<string, unknown> = { ...defaultParameters };
    for (const name of Object.keys(defaultParameters) as ParameterName[]) {
      const by = sources.findLast((source) => this.#given[source][name] !== undefined);
      const winner = by && this.#given[by][name];
      const preset = this.#chain.parameters[name];
      const standard = this.#standards[name];
      if (winner !== undefined) chosen[name] = winner.value;
      else if (preset !== undefined) chosen[name] = preset;
      else if (standard !== undefined) chosen[name] = standard.value;
      decisions.push({
        what: name,
        value: String(chosen[name]),
        because: winner !== undefined ? (winner.because ?? 'it was asked for') : preset !== undefined ? 'the chain sets it' : (standard?.because ?? 'default'),
        source: winner?.source ?? (preset !== undefined ? `chain ${this.#chain.name}` : (standard?.source ?? 'default')),
        origin: by !== undefined ? originOf[by] : preset !== undefined ? 'chain' : 'default',
      });
    }
    const parameters = chosen as Parameters;
    return { chain: this.#chain, parameters, decisions, notices: [...remarksOn(this.#chain, parameters), ...this.#overruled()] };
  }

  /** A client that asked for another strength than the operator chose is told. */
  #overruled(): ReconNotice[] {
    const chosen = this.#given.console.denoise;
    const asked = (['text', 'config', 'header'] as const).map((source) => this.#given[source].denoise).find((given) => given !== undefined);
    if (chosen === undefined || asked === undefined || this.#given['command line'].denoise !== undefined || asked.value === chosen.value) return [];
    return [chainWarning('CONUS_WARN_OPERATOR_STRENGTH', `denoise = ${String(asked.value)} of ${asked.source} gives way to ${String(chosen.value)} of the ${chosen.source}`)];
  }

  #setChain(name: string, because: string, source: string): void {
    this.#chain = chainNamed(name);
    this.#because = { what: 'chain', value: this.#chain.name, because, source, origin: source === '--chain' ? 'operator' : 'client' };
  }

  #give(source: Source, name: ParameterName, value: unknown, from: string, because?: string): void {
    this.#given[source][name] = { value: parseParameter(name, value, from), source: from, ...(because !== undefined && { because }) };
  }

  #take(source: Source, given: Readonly<Record<string, unknown>>, from: string): ReconNotice[] {
    const unknown: string[] = [];
    for (const [name, value] of Object.entries(given)) {
      if (isParameterName(name)) this.#give(source, name, value, `${from}, parameters.${name}`);
      else if (!isSettled(name, value)) unknown.push(name.slice(0, 40));
    }
    if (unknown.length === 0) return [];
    return [chainWarning('CONUS_WARN_UNKNOWN_PARAMETER', `unknown: ${unknown.slice(0, 16).join(', ')}`)];
  }
}

/** Whether a TEXT message is meant as parameters. */
export function isJsonObjectText(text: string): boolean {
  return text.trimStart().startsWith('{');
}

function remarksOn(chain: Chain, parameters: Parameters): ReconNotice[] {
  const notices: ReconNotice[] = [];
  if (chain.task !== 'reconstruct') return notices;
  if (chain.name === 'invertcontrast') {
    notices.push(chainWarning('CONUS_WARN_NOT_INVERTED', 'the chain invertcontrast is a connection test here; nothing is inverted'));
  }
  if (!parameters.sendOriginal && parameters.denoise === 0) {
    notices.push(
      chainWarning('CONUS_WARN_NO_PROCESSED_SERIES', 'sendOriginal=false, but there is no processed series'),
    );
  }
  return notices;
}

/** A key that was dealt with as the chain's name, is the version of the JSON schema, or says nothing. */
function isSettled(name: string, value: unknown): boolean {
  return chainKeys.includes(name) || name === 'version' || (name === 'options' && value === '');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
