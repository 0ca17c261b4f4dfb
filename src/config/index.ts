export { checkConfig, configJsonSchema, loadConfig, readConfigFile } from './config.js';
export type { Config, ConfigFinding } from './config.js';
export { environmentSettings, environmentVariables } from './environment.js';
export { CONFIG_ERRORS } from './errors.js';
export { configPage } from './page.js';
