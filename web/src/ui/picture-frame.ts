/** Hides a frame's text while there is a picture. */
export function showPictureWhile(video: HTMLVideoElement, frame: HTMLElement): void {
  video.addEventListener('loadeddata', () => frame.classList.add('has-picture'));
  video.addEventListener('emptied', () => frame.classList.remove('has-picture'));
}
