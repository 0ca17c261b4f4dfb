/** In place of `zarrita`, with which niivue reads Zarr stores: volumes come as NIfTI here, and its codecs are most of a megabyte. */
function none(): never {
  throw new Error('Zarr stores are not read here');
}

export { none as FetchStore, none as get, none as open, none as root, none as slice };
