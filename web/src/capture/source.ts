import type { SendableFile } from './files/sendable-file.js';
import type { LocalProblem } from '../problem.js';
import { ShapedTrack } from './shaped-track.js';
import { steadied } from './steady-frames.js';

/** The kind of source that a person chose. */
export type SourceChoice =
  | { kind: 'camera'; deviceId: string }
  | { kind: 'screen' }
  | { kind: 'file'; file: File; loop: boolean };

export type SourceKind = SourceChoice['kind'];

/** What can be recorded of a source. */
export interface Captured {
  /** One video track, and one audio track if that is wanted and there is one. */
  stream: MediaStream;
  /** How large its pictures are, and how many. */
  picture: ShapedTrack;
}

/** An open source, shown in the preview element. */
export interface Source {
  /** As it is; undefined if it is none, or none that could be sent without a recorder. */
  file: SendableFile | undefined;
  /** How far a file has been shown, in seconds. */
  position(): number;
  /** The same each time; undefined if the browser cannot show it. */
  capture(): Captured | undefined;
  /** Whether it still works after another source was tried in its place. */
  canGoOn(): boolean;
  /** Lets the picture run, and shows it, also again; a file stands at its first frame until then. */
  begin(): Promise<void>;
  close(): void;
}

/** Why a source could not be opened. */
export class SourceError extends Error {
  constructor(readonly problem: LocalProblem) {
    super(problem);
  }
}

/** Constraints for a camera, which uses its nearest mode. */
const CAMERA_WISH = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30 },
} satisfies MediaTrackConstraints;

/** Constraints for a screen: the output is never larger. */
const SCREEN_WISH = {
  width: { max: 1280 },
  height: { max: 720 },
  frameRate: { ideal: 30, max: 30 },
} satisfies MediaTrackConstraints;

/**
 * Opens the chosen source, with its sound if `withSound`, and shows it in `preview`. `onRanOut` is called
 * once when it ends by itself. Throws SourceError.
 */
export async function openSource(
  choice: SourceChoice,
  withSound: boolean,
  preview: HTMLVideoElement,
  onRanOut: () => void,
): Promise<Source> {
  if (choice.kind === 'file') return openFile(choice, withSound, preview, onRanOut);
  const captured = await captureDevice(choice, withSound);
  const [track] = captured.getVideoTracks();
  if (!track) throw new SourceError('source_failed');
  track.addEventListener('ended', onRanOut, { once: true });
  const steady = choice.kind === 'screen' ? steadied(track) : undefined;
  const sound = captured.getAudioTracks();
  const stream = steady ? new MediaStream([steady.track, ...sound]) : captured;
  preview.srcObject = stream;
  const recordable = { stream, picture: new ShapedTrack(track) };
  return {
    file: undefined,
    position: () => 0,
    capture: () => recordable,
    canGoOn: () => stream.active,
    begin() {
      preview.srcObject = stream;
      return preview.play();
    },
    close() {
      track.removeEventListener('ended', onRanOut);
      captured.getTracks().forEach((each) => each.stop());
      steady?.close();
      // Another source may be shown by now.
      if (preview.srcObject === stream) preview.srcObject = null;
    },
  };
}

/** The cameras that the browser will name; unnamed ones (before permission) are left out. */
export async function listCameras(): Promise<{ deviceId: string; label: string }[]> {
  const devices = (await globalThis.navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter(({ kind, deviceId, label }) => kind === 'videoinput' && deviceId !== '' && label !== '')
    .map(({ deviceId, label }) => ({ deviceId, label }));
}

/** What an error of getUserMedia or getDisplayMedia, by its name, means for the person. */
export function problemOfCaptureError(
  kind: SourceKind,
  withSound: boolean,
  errorName: string,
): LocalProblem {
  switch (errorName) {
    case 'NotAllowedError':
    case 'SecurityError':
      return kind === 'screen' ? 'screen_refused' : 'permission_refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      if (kind === 'screen') return 'screen_refused';
      return withSound ? 'no_camera_or_microphone' : 'no_camera';
    case 'NotReadableError':
    case 'AbortError':
      return kind === 'camera' ? 'camera_busy' : 'source_failed';
    default:
      return 'source_failed';
  }
}

async function captureDevice(
  choice: Exclude<SourceChoice, { kind: 'file' }>,
  withSound: boolean,
): Promise<MediaStream> {
  const { mediaDevices } = navigator as { mediaDevices?: Partial<MediaDevices> };
  if (!mediaDevices) throw new SourceError('insecure_context');
  try {
    if (choice.kind === 'camera') {
      if (!mediaDevices.getUserMedia) throw new SourceError('no_camera');
      const device = choice.deviceId === '' ? {} : { deviceId: { exact: choice.deviceId } };
      return await mediaDevices.getUserMedia({
        video: { ...CAMERA_WISH, ...device },
        audio: withSound,
      });
    }
    if (!mediaDevices.getDisplayMedia) throw new SourceError('screen_unsupported');
    return await mediaDevices.getDisplayMedia({ video: SCREEN_WISH, audio: withSound });
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError(problemOfCaptureError(choice.kind, withSound, (error as Error).name));
  }
}

async function openFile(
  { file, loop }: Extract<SourceChoice, { kind: 'file' }>,
  withSound: boolean,
  preview: HTMLVideoElement,
  onRanOut: () => void,
): Promise<Source> {
  const url = URL.createObjectURL(file);
  let sendable: SendableFile | undefined;
  const close = (): void => {
    sendable?.close();
    preview.removeEventListener('ended', onRanOut);
    preview.pause();
    preview.removeAttribute('src');
    preview.load();
    URL.revokeObjectURL(url);
  };
  try {
    sendable = await openSendable(file, { loop, withSound });
    preview.srcObject = null;
    preview.loop = loop;
    preview.src = url;
    const isShown = await canPlay(preview);
    if (!isShown && !sendable) throw new SourceError('file_unplayable');
    if (!sendable && preview.videoWidth === 0) throw new SourceError('file_without_video');
    const capture = isShown ? captureOf(preview, withSound) : () => undefined;
    if (!sendable && !capture()) throw new SourceError('file_capture_unsupported');
    preview.addEventListener('ended', onRanOut, { once: true });
    return {
      file: sendable,
      position: () => preview.currentTime,
      capture,
      canGoOn: () => preview.src === url || !isShown,
      begin: () => (isShown ? preview.play() : Promise.resolve()),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Only who shares a file needs what reads files. */
async function openSendable(file: File, options: { loop: boolean; withSound: boolean }) {
  const { openSendableFile } = await import('./files/sendable-file.js');
  return openSendableFile(file, options);
}

/** Captures what a media element plays, once that is wanted, where the browser can do that. */
function captureOf(video: HTMLVideoElement, withSound: boolean): () => Captured | undefined {
  // Firefox still prefixes it, and TypeScript does not know it.
  const capturing = video as HTMLVideoElement & {
    captureStream?: () => MediaStream;
    mozCaptureStream?: () => MediaStream;
  };
  let captured: Captured | undefined;
  return () => (captured ??= capture());

  function capture(): Captured | undefined {
    const whole = (capturing.captureStream ?? capturing.mozCaptureStream)?.call(video);
    const [track] = whole?.getVideoTracks() ?? [];
    if (!whole || !track) return undefined;
    const sound = withSound ? whole.getAudioTracks() : [];
    return { stream: new MediaStream([track, ...sound]), picture: new ShapedTrack(track) };
  }
}

function canPlay(video: HTMLVideoElement): Promise<boolean> {
  return new Promise((resolve) => {
    video.addEventListener('loadeddata', () => resolve(true), { once: true });
    video.addEventListener('error', () => resolve(false), { once: true });
  });
}
