/** Why nothing runs (any more), in words for the person who started it. */
export class FatalError extends Error {}
