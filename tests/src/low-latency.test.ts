import { describe, expect, test } from 'vitest';
import { stackAndClip } from './support/fixtures.js';
import { HttpClient, nextPart, readPlaylist } from './support/playlist-client.js';
import { startPush } from './support/push.js';

const live = stackAndClip(180);

const playlistOf = (sessionId: string) => `${live.stack.url}/hls/${sessionId}/live.m3u8`;

describe('a live playlist, asked 50,000 times', () => {
  const REQUESTS = 50_000;
  const CLIENTS = 24;

  test(
    'is always complete, and all that it lists can be fetched',
    { timeout: 600_000 },
    async () => {
      const push = await startPush(live.stack, live.clip, { loop: true });
      const folder = playlistOf(push.sessionId).replace('live.m3u8', '');
      const failures: string[] = [];
      let requests = 0;

      const client = async (number: number) => {
        const http = new HttpClient();
        const fetched = async (name: string) => {
          requests++;
          const { status } = await http.get(folder + name);
          if (status !== 200) failures.push(`${name}: ${status}`);
        };
        let query = '';
        for (let round = number; requests < REQUESTS; round++) {
          requests++;
          const playlist = readPlaylist(await http.get(`${folder}live.m3u8${query}`));
          const { msn, part } = nextPart(playlist);
          query = ['', `?_HLS_msn=${msn}&_HLS_part=${part}`, '?_HLS_skip=YES'][round % 3] ?? '';
          const listed = playlist.segments.flatMap((segment) => [
            ...(segment.uri ? [segment.uri] : []),
            ...segment.parts.map(({ uri }) => uri),
          ]);
          // The oldest is removed first, and the newest is only hinted at.
          for (const name of [listed[0], listed[(round * 7) % listed.length], listed.at(-1)])
            if (name !== undefined) await fetched(name);
        }
        http.close();
      };
      await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
      await push.stop();
      expect(failures).toEqual([]);
    },
  );
});
