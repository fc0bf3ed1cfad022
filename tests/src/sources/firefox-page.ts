import type { Firefox } from '../support/firefox.js';
import type { Stack } from '../support/stack.js';
import { watchInFfmpeg } from './watched.js';

const SECONDS = 5;

/**
 * Publishes Firefox's fake camera and microphone on the page for a while, and watches the stream there.
 * Resolves to a description of what was shown.
 */
export async function cameraOnPage(firefox: Firefox, stack: Stack): Promise<string> {
  await firefox.goto(stack.url);
  const seen = await firefox.evaluate(shareAndWatch, SECONDS);
  if (!seen.sessionId) return `**${seen.state}: ${seen.problem}**`;
  const playlist = `${stack.url}/hls/${seen.sessionId}/live.m3u8`;
  const { width, height, frames, clicks } = await watchInFfmpeg(playlist);
  const sound = clicks ? 'sound' : '**no sound**';
  return `${width}x${height}, ${frames.length} frames, ${sound}; the page played ${seen.played.toFixed(1)} s, then: ${seen.state}`;
}

/** Runs in the page. */
async function shareAndWatch(seconds: number) {
  const byTestId = <Element extends HTMLElement>(testId: string) => {
    const element = document.querySelector<Element>(`[data-testid="${testId}"]`);
    if (!element) throw new Error(`no ${testId}`);
    return element;
  };
  const processed = byTestId<HTMLVideoElement>('processed');
  const text = (testId: string) => byTestId(testId).innerText;
  const until = async (holds: () => boolean) => {
    const limit = performance.now() + 30_000;
    while (!holds() && performance.now() < limit && text('problem') === '')
      await new Promise((resolve) => setTimeout(resolve, 50));
  };
  byTestId<HTMLInputElement>('sound').click();
  byTestId('start').click();
  await until(() => !byTestId('go-live').hidden);
  byTestId('go-live').click();
  await until(() => /^live/i.test(text('state')) && processed.currentTime > 0);
  const from = processed.currentTime;
  await until(() => processed.currentTime > from + seconds);
  const played = processed.currentTime - from;
  byTestId('stop').click();
  await until(() => /ended/i.test(text('state')));
  const link = byTestId('watch-link').getAttribute('href') ?? '';
  return {
    played,
    sessionId: link.split('/').at(-1),
    state: text('state'),
    problem: text('problem'),
  };
}
