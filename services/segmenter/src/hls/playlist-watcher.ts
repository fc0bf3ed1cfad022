import { basename, dirname, join } from 'node:path';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { Logger } from '@facecast/shared/runtime/logger';
import { watch, type FSWatcher } from 'chokidar';

/**
 * Watches the HLS volume for the playlists of sessions that begin. Each is told of once, and its folder
 * is watched no longer than that: what follows the first part is told by whoever writes it.
 */
export class PlaylistWatcher {
  private readonly watcher: FSWatcher;
  private readonly folders = new Set<string>();

  /** `onPlaylist` is called once for each session that was given to `watch`. */
  constructor(
    private readonly root: string,
    log: Logger,
    onPlaylist: (sessionId: string) => void,
  ) {
    this.watcher = watch([], {
      // Renamed into place, a file is whole when it is seen, and need not be waited for.
      atomic: false,
      depth: 0,
      ignored: (path, stats) => stats?.isFile() === true && basename(path) !== HLS_FILES.playlist,
    });
    this.watcher.on('error', (error) => log.error({ err: error }, 'cannot watch the HLS volume'));
    this.watcher.on('add', (path) => {
      const sessionId = basename(dirname(path));
      if (this.unwatch(sessionId)) onPlaylist(sessionId);
    });
  }

  /** Sessions whose playlists are not there yet. */
  get size(): number {
    return this.folders.size;
  }

  /** The session's folder must be there; its playlist may be. */
  watch(sessionId: string): void {
    const folder = join(this.root, sessionId);
    this.folders.add(folder);
    this.watcher.add(folder);
  }

  /** Stops watching for a session; false where it was not watched. */
  unwatch(sessionId: string): boolean {
    const folder = join(this.root, sessionId);
    if (!this.folders.delete(folder)) return false;
    this.watcher.unwatch(folder);
    return true;
  }

  async close(): Promise<void> {
    await this.watcher.close();
  }
}
