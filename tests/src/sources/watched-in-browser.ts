import type { HlsJsPage } from '../support/hls-js.js';
import type { Watched } from './watched.js';

const FPS = 30;

/** Plays a stream that has ended in hls.js: each of its frames, and then its audio. */
export async function watchInHlsJs(player: HlsJsPage, playlist: string): Promise<Watched> {
  const text = await (await fetch(playlist)).text();
  const durations = [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].map(([, seconds]) => Number(seconds));
  const seconds = durations.reduce((sum, duration) => sum + duration, 0);
  const { frames, ...size } = await player.step(playlist, Math.round(seconds * FPS), FPS);
  return { ...size, frames, clicks: await player.listen(playlist) };
}
