import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestGateway } from './test-gateway.js';
import { testPlaylist } from './test-playlist.js';

/** Writes what the segmenter makes of a session that is live and recorded. */
export async function fillSession(
  { hlsDir, recordingsDir }: Pick<TestGateway, 'hlsDir' | 'recordingsDir'>,
  sessionId: string,
): Promise<void> {
  const [live, recorded] = [join(hlsDir, sessionId), join(recordingsDir, sessionId)];
  for (const folder of [live, recorded]) await mkdir(folder, { recursive: true });
  await writeFile(join(live, 'live.m3u8'), testPlaylist({ segments: 5 }));
  await writeFile(join(live, '4.m4s'), 'media');
  await writeFile(join(live, 'faces.ndjson'), '{"frame":0,"t":0,"faces":[]}\n');
  await writeFile(join(recorded, 'recording.mp4'), 'media');
  await writeFile(join(recorded, 'recording.m3u8'), '#EXTM3U\n');
}
