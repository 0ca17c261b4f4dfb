// msgpackr catches this and uses its own JavaScript.
throw new Error('msgpackr-extract is left out on purpose');
