/** Okabe M, Ito K. Color Universal Design, 2008, in the order in which they are told apart best on a dark ground. */
export const hues = ['#56b4e9', '#e69f00', '#1fb886', '#cc79a7', '#f0e442', '#e2703a', '#b9c4cf'] as const;
/** Of lines beside the colours. */
export const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
