import type { Session } from '@facecast/shared/redis/session';
import { declaredContainer } from '../demux/container.js';
import type { FailureReason } from '../decode-failure.js';
import type { Progress, CheckpointStore } from './checkpoint-store.js';
import type { ResumePoint } from './keyframe-tracker.js';

/** Where a session's decoding is resumed. */
export interface ResumeFrom {
  point: ResumePoint;
  /** The input stream's header; undefined if the point is its beginning. */
  header: Buffer | undefined;
}

/** The last owner's resume point, or the session's beginning; a failure reason if it cannot be resumed. */
export async function findResumePoint(
  store: Pick<CheckpointStore, 'loadHeader'>,
  { id, mimeType }: Session,
  progress: Progress,
): Promise<ResumeFrom | FailureReason> {
  const container = declaredContainer(mimeType);
  if (!container) return 'unknown_type';
  const beginning: ResumePoint = { container, chunk: 0, offset: 0, rate: { next: 0 } };
  const { recovery: point = beginning } = progress;
  const header = point?.keyFrame && (await store.loadHeader(id));
  return !point || (point.keyFrame && !header) ? 'no_way_back' : { point, header };
}
