import { constants, gzipSync } from 'node:zlib';
import { deltaUpdate } from './delta-update.js';
import type { Skip } from './directives.js';
import { readPlaylistState, type PlaylistState } from './playlist-state.js';

/** Encoding of a playlist's answer. */
export type Encoding = 'identity' | 'gzip';

/** One version of a live playlist, and its answers, each made once for all requests. */
export class PlaylistVersion {
  readonly state: PlaylistState;
  private readonly bodies = new Map<string, Buffer>();

  constructor(readonly text: string) {
    this.state = readPlaylistState(text);
  }

  /** The answer to a request with this `_HLS_skip`. */
  body(skip: Skip | undefined, encoding: Encoding): Buffer {
    const key = `${skip} ${encoding}`;
    const made = this.bodies.get(key) ?? this.make(skip, encoding);
    this.bodies.set(key, made);
    return made;
  }

  private make(skip: Skip | undefined, encoding: Encoding): Buffer {
    if (encoding === 'gzip') {
      return gzipSync(this.body(skip, 'identity'), { level: constants.Z_BEST_SPEED });
    }
    const { ended, skipUntil } = this.state;
    const isWhole = skip === undefined || skipUntil === undefined || ended;
    return Buffer.from(isWhole ? this.text : deltaUpdate(this.text, skipUntil, skip));
  }
}
