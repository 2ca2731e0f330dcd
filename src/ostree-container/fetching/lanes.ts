/** Layers at a time: two requests are on their way while one is written. */
export const LANES = 3;
