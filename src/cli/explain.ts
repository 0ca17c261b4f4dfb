/** `conus explain IN`: which chain and parameters an input would get, and what decided each. */
import { CodedError, MrdParser, parseHeader } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import { planCartesian } from '../../recon/index.js';
import type { Decision, ReconNotice } from '../../recon/index.js';
import { ChainChoice } from '../chain/index.js';
import type { ChoiceOptions } from '../chain/index.js';
import { Denoising } from '../denoising/index.js';
import type { DenoisingOptions } from '../denoising/index.js';
import { presentable } from '../session/index.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';
import { openSource } from './source.js';

interface Explanation {
  readonly chain: string;
  readonly decisions: readonly Decision[];
  readonly notices: readonly ReconNotice[];
  /** Why a session of this input would be refused. */
  readonly refusal: string | undefined;
}

export async function explain(input: string, options: ChoiceOptions & { readonly denoising: DenoisingOptions; readonly json: boolean }, io: CliIo): Promise<ExitCode> {
  const { bytes } = await openSource(input, io);
  const { standards } = await Denoising.open(options.denoising);
  const explanation = await explainStream(bytes, { ...options, standards });
  if (options.json) {
    printJson(io.stdout, explanation);
  } else {
    printTable(
      io.stdout,
      ['what', 'value', 'because', 'decided by'],
      explanation.decisions.map(({ what, value, because, source }) => [what, value, because, source]),
    );
    for (const { code, message } of explanation.notices) io.stdout.write(`${code}: ${message}\n`);
    if (explanation.refusal !== undefined) io.stdout.write(`refused: ${explanation.refusal}\n`);
  }
  return explanation.refusal === undefined ? ExitCode.ok : ExitCode.input;
}

/** Reads up to the first data, as far as a session chooses from. */
async function explainStream(bytes: AsyncIterable<Uint8Array>, options: ChoiceOptions): Promise<Explanation> {
  const choice = new ChainChoice(options);
  const notices: ReconNotice[] = [];
  let header: MrdHeader | undefined;
  let hasData = false;
  const parser = new MrdParser({
    configFile: (name) => choice.configFile(name),
    configText: (text) => {
      notices.push(...choice.configText(text));
    },
    header: (xml) => {
      if (choice.chain.task !== 'reconstruct') return;
      header = parseHeader(xml);
      choice.header(header);
    },
    text: (text) => {
      if (!hasData) notices.push(...choice.text(text));
    },
    allocate: () => {
      hasData = true;
      return undefined;
    },
    image: () => {
      hasData = true;
    },
  });

  const decisions: Decision[] = [];
  try {
    for await (const chunk of bytes) {
      parser.write(chunk);
      if (hasData || parser.closed) break;
    }
    const chosen = choice.choose();
    decisions.push(...chosen.decisions);
    notices.push(...chosen.notices);
    if (header !== undefined && chosen.chain.task === 'reconstruct') {
      const planning = planCartesian(header, chosen.parameters);
      decisions.push(...planning.decisions);
      notices.push(...planning.notices);
    }
  } catch (error) {
    // What an input cannot be read for is the caller's matter; what it is refused for is the answer.
    if (!(error instanceof CodedError) || error.code === 'CONUS_ERR_INPUT') throw error;
    return { chain: choice.chain.name, decisions, notices, refusal: presentable(error).message };
  }
  return { chain: choice.chain.name, decisions, notices, refusal: undefined };
}
