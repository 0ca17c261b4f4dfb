/** Why a chain or its parameters cannot be chosen, and what is remarked on the way. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const CHAIN_ERRORS = {
  CONUS_ERR_UNKNOWN_CONFIG: {
    expected: 'the name of a chain that this server has',
    action: 'choose one of the names in this message; no other chain is run in its place',
  },
  CONUS_ERR_CONFIG_TEXT: {
    expected: 'a chain name, a JSON object, or an XML configuration whose gadgets or name are known',
    action: 'send the name of a chain, or {"chain": "grappa", "parameters": {...}}',
  },
  CONUS_ERR_PARAMETER: {
    expected: 'a value of the type and range that the parameter has',
    action: 'correct the value; docs/cli.md lists every parameter',
  },
} as const satisfies ErrorTable;

export const CHAIN_WARNINGS = {
  CONUS_WARN_UNKNOWN_PARAMETER: {
    expected: 'names of parameters that this server has',
    action: 'check the spelling; docs/cli.md lists every parameter; the value was left out',
  },
  CONUS_WARN_LATE_PARAMETERS: {
    expected: 'parameters before the first acquisition or image',
    action: 'send them right after the header; these were left out',
  },
  CONUS_WARN_TEXT_IGNORED: {
    expected: 'a JSON object in a TEXT message that starts with a brace',
    action: 'correct the JSON; the text was left out',
  },
  CONUS_WARN_OPERATOR_STRENGTH: {
    expected: 'no strength of denoising from the client where the operator has chosen one for the exam',
    action: 'none needed; to let the client decide, take the strength of the exam back at the console',
  },
  CONUS_WARN_NO_PROCESSED_SERIES: {
    expected: 'sendOriginal=true where nothing is denoised: then there is no series besides the conventional one',
    action: 'none needed; the conventional images are delivered',
  },
  CONUS_WARN_NOT_INVERTED: {
    expected: 'a chain other than invertcontrast, the connection test of the FIRE example server',
    action: 'use it for connection tests only; the images are delivered as they are, not inverted',
  },
} as const satisfies ErrorTable;

export const chainError = errorsOf(CHAIN_ERRORS);
export const chainWarning = noticesOf(CHAIN_WARNINGS);
