import type { SourceKind } from './publish-state.js';
import type { LocalProblem } from './problem.js';
import { ShapedTrack } from './shaped-track.js';
import { steadied } from './steady-frames.js';

/** Where the picture comes from. */
export type SourceChoice =
  | { kind: 'camera'; deviceId: string }
  | { kind: 'screen' }
  | { kind: 'file'; file: File; loop: boolean };

/** An open source, shown in the preview element. */
export interface Source {
  /** One video track, and one of sound where it is wanted and there is any. */
  stream: MediaStream;
  /** How large its pictures are, and how many. */
  picture: ShapedTrack;
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

/** What a camera is asked for; a camera that has no such mode gives its nearest. */
const CAMERA_WISH = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30 },
} satisfies MediaTrackConstraints;

/** What a screen is asked for: the output is never larger. */
const SCREEN_WISH = {
  width: { max: 1280 },
  height: { max: 720 },
  frameRate: { ideal: 30, max: 30 },
} satisfies MediaTrackConstraints;

/**
 * Opens the chosen source, its sound too where `withSound`, and shows it in `preview`. `onRanOut` is
 * called once when it ends by itself. Throws SourceError.
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
  return {
    stream,
    picture: new ShapedTrack(track),
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
  const capture = captureStreamOf(preview);
  const url = URL.createObjectURL(file);
  const close = (): void => {
    preview.removeEventListener('ended', onRanOut);
    preview.pause();
    preview.removeAttribute('src');
    preview.load();
    URL.revokeObjectURL(url);
  };
  try {
    preview.srcObject = null;
    preview.loop = loop;
    preview.src = url;
    await firstFrame(preview);
    const captured = capture();
    const tracks = captured.getVideoTracks();
    const [track] = tracks;
    if (!track) throw new SourceError('file_unplayable');
    if (withSound) tracks.push(...captured.getAudioTracks());
    preview.addEventListener('ended', onRanOut, { once: true });
    return {
      stream: new MediaStream(tracks),
      picture: new ShapedTrack(track),
      begin: () => preview.play(),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** `captureStream` of a media element, which Firefox still prefixes and TypeScript does not know. */
function captureStreamOf(video: HTMLVideoElement): () => MediaStream {
  const capturing = video as HTMLVideoElement & {
    captureStream?: () => MediaStream;
    mozCaptureStream?: () => MediaStream;
  };
  const capture = capturing.captureStream ?? capturing.mozCaptureStream;
  if (!capture) throw new SourceError('file_capture_unsupported');
  return capture.bind(video);
}

function firstFrame(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve, reject) => {
    video.addEventListener('loadeddata', () => resolve(), { once: true });
    video.addEventListener('error', () => reject(new SourceError('file_unplayable')), {
      once: true,
    });
  });
}
