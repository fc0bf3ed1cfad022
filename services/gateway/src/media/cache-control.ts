/**
 * `Cache-Control` of what is played. All of it may be deleted or edited at any moment, and nobody can
 * reach a cache's copies: none counts without asking here again, so that none outlives its original.
 */

/** Live media and playlists: caches may keep the bytes, and ask each time whether they are still to be had. */
export const LIVE_CACHE = 'public, no-cache';
/** Recordings: the same, in the browsers of who watched, and in no cache that several share. */
export const RECORDING_CACHE = 'private, no-cache';
/** Private sessions: no cache keeps anything. */
export const PRIVATE_CACHE = 'private, no-store';
