import { basename, dirname, join } from 'node:path';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { Logger } from '@facecast/shared/runtime/logger';
import { watch, type FSWatcher } from 'chokidar';

/**
 * Watches the HLS volume for the playlists of sessions that begin. Each is reported once, and then its folder
 * is not watched any more: later parts are announced by who writes them.
 */
export class PlaylistWatcher {
  private readonly watcher: FSWatcher;
  private readonly folders = new Set<string>();

  /** @param onPlaylist called once for each watched session, when its playlist is there */
  constructor(
    private readonly root: string,
    log: Logger,
    onPlaylist: (sessionId: string) => void,
  ) {
    this.watcher = watch([], {
      // Files are renamed into place, so a file that is seen is whole.
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

  /** How many watched sessions have no playlist yet. */
  get size(): number {
    return this.folders.size;
  }

  /** Watches for a session's playlist. Its folder must exist. */
  watch(sessionId: string): void {
    const folder = join(this.root, sessionId);
    this.folders.add(folder);
    this.watcher.add(folder);
  }

  /** Stops watching for a session; false if it was not watched. */
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
