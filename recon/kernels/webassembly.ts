/** The part of the WebAssembly API in use; Node has it, but its types declare none and lib.dom is not ours. */
declare global {
  namespace WebAssembly {
    interface Memory {
      readonly buffer: ArrayBuffer | SharedArrayBuffer;
      /** Grows by `delta` pages of 64 KiB; gives the size before, in pages. */
      grow(delta: number): number;
    }
    const Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => Memory;

    /** Compiled code; can be posted to a worker. */
    interface Module {
      readonly [Symbol.toStringTag]: 'WebAssembly.Module';
    }
    const Module: new (bytes: Uint8Array) => Module;

    interface Instance {
      readonly exports: Readonly<Record<string, unknown>>;
    }
    const Instance: new (
      module: Module,
      imports: { readonly env: { readonly memory: Memory } },
    ) => Instance;
  }
}

export {};
