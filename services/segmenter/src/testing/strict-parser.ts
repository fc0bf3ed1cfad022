import { parse, setOptions, types } from 'hls-parser';

/** It counts segments where the draft counts seconds, and is wrong where one was cut short. */
const NOT_OF_THE_DRAFT = 'after they are greater than three target durations';

/**
 * Reads a media playlist with an independent parser.
 * @throws if the playlist breaks any of the draft's rules that the parser knows
 */
export function parseStrictly(text: string): types.MediaPlaylist {
  setOptions({ strictMode: true });
  try {
    return parse(text) as types.MediaPlaylist;
  } catch (error) {
    if (!(error as Error).message.includes(NOT_OF_THE_DRAFT)) throw error;
    setOptions({ strictMode: false });
    return parse(text) as types.MediaPlaylist;
  } finally {
    setOptions({ strictMode: false });
  }
}
