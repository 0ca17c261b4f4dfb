// A model process whose inference runtime is missing.
process.stderr.write('cannot find the runtime\n');
process.exitCode = 1;
