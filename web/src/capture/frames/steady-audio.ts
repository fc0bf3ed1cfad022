import { AudioSample } from 'mediabunny';

/** A track is late when the video is ahead of it by more than this, in seconds; then it is silent so far. */
const MAX_LATE_SECONDS = 0.5;
/** How near to the video the silence of a late track comes, in seconds. */
const SILENT_UNTIL_SECONDS = 0.2;
/** A gap or an overlap that is shorter, in seconds, is a clock's unevenness. */
const TOLERANCE_SECONDS = 0.04;
/** Longest piece of silence, in seconds. */
const MAX_SILENCE_SECONDS = 1;
/** Format of silence before any audio has come. */
const DEFAULT_FORMAT = { sampleRate: 48_000, numberOfChannels: 1 };

/**
 * Makes a gapless track of what a microphone gives: encoders do not look at timestamps, and the video waits for the
 * audio of its time. Gaps are silent; what comes after its time was filled is left out. Times are seconds.
 */
export class SteadyAudio {
  private format: { sampleRate: number; numberOfChannels: number } = DEFAULT_FORMAT;
  /** Where the audio so far ends. */
  private end: number | undefined;

  /** What is to be encoded when this audio has come: silence before it, and itself. */
  from(audio: AudioSample, timestamp: number): AudioSample[] {
    this.format = audio;
    this.end ??= timestamp;
    if (timestamp < this.end - TOLERANCE_SECONDS) {
      audio.close();
      return [];
    }
    const silence = timestamp > this.end + TOLERANCE_SECONDS ? this.silence(timestamp) : [];
    audio.setTimestamp(this.end);
    this.end += audio.duration;
    return [...silence, audio];
  }

  /** The silence that is to be encoded when video of this time has come; none if the audio is in time. */
  until(timestamp: number): AudioSample[] {
    this.end ??= timestamp;
    return timestamp > this.end + MAX_LATE_SECONDS
      ? this.silence(timestamp - SILENT_UNTIL_SECONDS)
      : [];
  }

  private silence(until: number): AudioSample[] {
    const { sampleRate, numberOfChannels } = this.format;
    const pieces: AudioSample[] = [];
    while (this.end! < until) {
      const seconds = Math.min(MAX_SILENCE_SECONDS, until - this.end!);
      const frames = Math.max(1, Math.round(seconds * sampleRate));
      const data = new Float32Array(frames * numberOfChannels);
      const piece = { data, format: 'f32' as const, sampleRate, numberOfChannels };
      pieces.push(new AudioSample({ ...piece, timestamp: this.end! }));
      this.end! += frames / sampleRate;
    }
    return pieces;
  }
}
