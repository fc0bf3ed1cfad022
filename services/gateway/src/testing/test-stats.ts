import type { PipelineStats } from '@facecast/shared/protocol/ingest-protocol';

/** Stats as a segmenter tells them of a session that has run for some seconds. */
export const statsOf = (sessionId: string, more: Partial<PipelineStats> = {}): PipelineStats => ({
  sessionId,
  state: 'live',
  width: 640,
  height: 480,
  fps: 30,
  framesIn: 90,
  framesOut: 87,
  framesUndetected: 1,
  faces: 2,
  stages: { decode: { ms: 1 }, detect: { ms: 2 }, segment: { ms: 3 } },
  pipelineMs: 250,
  recording: 'off',
  dateErrorMs: 0,
  lateMs: 300,
  recent: { frames: 30, unsearched: 0, hidden: 0 },
  ...more,
});
