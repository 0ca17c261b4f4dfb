// A model process that gives images back as they are once, and then aborts as a native fault would.
const shape = (name, channels) => ({ name, type: 'float32', shape: ['n', channels, 'rows', 'columns'] });
let nRuns = 0;

process.on('message', (question) => {
  if (question.type === 'load') {
    process.send({ type: 'loaded', inputs: [shape('image', 2), shape('noise', 1)], outputs: [shape('denoised', 2)] });
  } else if (nRuns++ > 0) {
    process.kill(process.pid, 'SIGABRT');
  } else {
    process.send({ type: 'done', outputs: { denoised: question.inputs.image }, runMs: 0, residentBytes: 1 });
  }
});
process.send({ type: 'up' });
