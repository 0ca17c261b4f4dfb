/**
 * Property tests draw the same cases in every run, so that one commit has one verdict. CONUS_PROPERTY_SEED, a whole number,
 * draws others: what fails then becomes a test of its own.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.CONUS_PROPERTY_SEED ?? 20261126) });
