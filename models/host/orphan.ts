/** A thread that ends the process when the one that started it is gone, whatever the main thread is at. */
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, 1000);
