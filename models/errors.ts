import { errorsOf, type ErrorTable } from 'ismrmrd';

/** Every error of the models, of the registry and of the model host. */
export const MODEL_ERRORS = {
  MODEL_ERR_FOLDER: {
    expected: 'a folder that can be read, with one folder a model',
    action: 'correct --models',
  },
  MODEL_ERR_MANIFEST: {
    expected: 'a manifest.json with the keys of docs/model-manifest.md',
    action: 'correct it; conus models check tells what is wrong',
  },
  MODEL_ERR_FILE: {
    expected: 'model.onnx beside manifest.json',
    action: 'copy the whole folder of the model again',
  },
  MODEL_ERR_SHA256: {
    expected: 'a model.onnx with the SHA-256 of its manifest',
    action: 'copy the model again; where it was changed on purpose, validate it and write the new sum into the manifest',
  },
  MODEL_ERR_DUPLICATE: {
    expected: 'one model an id',
    action: 'give the second model an id of its own, and choose it by name',
  },
  MODEL_ERR_LOAD: {
    expected: 'a graph that the inference runtime loads',
    action: 'export the model anew, with operators and an opset that ONNX Runtime has',
  },
  MODEL_ERR_GRAPH: {
    expected: "the inputs and outputs of the manifest, float32, with its shapes",
    action: 'correct the manifest, or export the model anew',
  },
  MODEL_ERR_UNKNOWN: {
    expected: 'a model that is there',
    action: 'conus models list tells which there are; drop the model into a folder of --models',
  },
  MODEL_ERR_NOT_LOADED: {
    expected: 'a model that passed its checks',
    action: 'conus models check tells what is wrong with it; until then everything goes on without it',
  },
  MODEL_ERR_SET_ASIDE: {
    expected: 'a model that neither ends nor blocks the process that it runs in',
    action: 'correct or remove the model and start the service again; until then everything goes on without it',
  },
  MODEL_ERR_INPUT: {
    expected: 'the inputs of the manifest with shapes that agree',
    action: 'report this as a defect',
  },
  MODEL_ERR_OUTPUT_NAN: {
    expected: 'finite numbers from the model',
    action: 'look at the input for pixels that are not finite and for a noise map with zeros; else validate the model anew',
  },
  MODEL_ERR_OUTPUT_SHAPE: {
    expected: 'outputs with the shapes of the manifest',
    action: 'correct the manifest, or export the model anew',
  },
  MODEL_ERR_RUN: {
    expected: 'a run without an error of the inference runtime',
    action: 'look at the size of the image and at the memory of the machine; else export the model anew',
  },
  MODEL_ERR_TIMEOUT: {
    expected: 'an answer within the time-out of the model',
    action: 'give the model more threads or a larger timeoutMs, or take a smaller model; the machine may be too busy',
  },
  MODEL_ERR_CRASHED: {
    expected: 'a model that leaves the process that it runs in alive',
    action: 'the process was started again; where it happens again, remove the model and report it to whoever made it',
  },
  MODEL_ERR_BUSY: {
    expected: 'room in the queue of the model host',
    action: 'send fewer scans at once, or give the host more threads or a device',
  },
  MODEL_ERR_HOST: {
    expected: 'a model host that starts',
    action: 'look at the log for what the inference runtime says; everything goes on without models',
  },
  MODEL_ERR_CLOSED: {
    expected: 'a run before the service stops, for somebody who still waits for it',
    action: 'nothing, where the scan was ended; else send it again',
  },
} as const satisfies ErrorTable;

export type ModelErrorCode = keyof typeof MODEL_ERRORS;

export const modelError = errorsOf(MODEL_ERRORS);

export const MODEL_WARNINGS = {
  MODEL_WARN_PROVIDER: {
    expected: 'an execution provider that this installation has',
    action: 'install what it needs (docs/models.md), or leave it out; the model runs all the same',
  },
  MODEL_WARN_HOST_RESTARTED: {
    expected: 'a model host that lives as long as the service',
    action: 'look at the model that ran; what it was asked for goes on without it',
  },
} as const satisfies ErrorTable;

export type ModelWarningCode = keyof typeof MODEL_WARNINGS;
