import type { PipelineStats } from '@facecast/shared/protocol/ingest-protocol';
import { LivePublisher } from './live-publisher.js';
import { LiveViewer } from './live-viewer.js';
import type { Stack } from './stack.js';
import { statsOf } from './session-api.js';

/** A running session with a viewer that keeps every frame. */
export interface LiveSession {
  publisher: LivePublisher;
  viewer: LiveViewer;
  /** The newest stats. */
  stats: () => Promise<PipelineStats>;
  /** Goes on for `afterParts` more parts, or to the WebM's end, and stops; resolves to the number of frames. */
  end: (afterParts?: number) => Promise<number>;
  /** Goes on to the WebM's end; resolves to the number of frames. */
  finish: () => Promise<number>;
}

/** Begins to publish a WebM and to watch it; resolves when it has been live for a second. */
export async function startLive(
  stack: Pick<Stack, 'url' | 'ingestUrl'>,
  webm: Buffer,
  effect = 'box',
): Promise<LiveSession> {
  const publisher = await LivePublisher.start(stack.ingestUrl, webm, effect);
  const { viewer, ended } = LiveViewer.watch(stack.url, publisher.sessionId);
  /** A session that is refused may never have the parts that this waits for. */
  const unlessRefused = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await Promise.race([work, publisher.refused()]);
    } catch (error) {
      viewer.leave();
      throw error;
    }
  };
  await unlessRefused(viewer.parts(10));
  const end = async (afterParts = 15) => {
    await unlessRefused(viewer.partsOrEnd(afterParts));
    const frames = await unlessRefused(publisher.stop());
    await ended;
    return frames;
  };
  return {
    publisher,
    viewer,
    stats: () => statsOf(stack, publisher.sessionId),
    end,
    finish: async () => {
      const frames = await publisher.finish();
      await ended;
      return frames;
    },
  };
}
