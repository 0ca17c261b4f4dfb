// A model process that gives images back as they are, but for trials each only when the next question is there: of the last of
// four that question never comes, and of bright ones it dies instead.
const shape = (name, channels) => ({ name, type: 'float32', shape: ['n', channels, 'rows', 'columns'] });
let held;

process.on('message', (question) => {
  if (question.type === 'load') {
    process.send({ type: 'loaded', inputs: [shape('image', 2), shape('noise', 1)], outputs: [shape('denoised', 2)] });
    return;
  }
  const { image } = question.inputs;
  if (image.data[0] > 1000) process.kill(process.pid, 'SIGABRT');
  if (held !== undefined) process.send(held);
  const done = { type: 'done', outputs: { denoised: image }, runMs: 0, residentBytes: 1 };
  process.send({ type: 'finished' });
  const isHeld = image.dims[3] !== 64 && image.data[0] !== 4;
  held = isHeld ? done : undefined;
  if (!isHeld) process.send(done);
});
process.send({ type: 'up' });
