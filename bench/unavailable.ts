/** Something cannot take part here, which is no fault of the run: a package is missing, an option is not supported, the disk or the memory is too small. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
