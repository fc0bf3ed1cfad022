/** The words in a picture's frame give way as soon as there is a picture, and come back when it is gone. */
export function showPictureWhile(video: HTMLVideoElement, frame: HTMLElement): void {
  video.addEventListener('loadeddata', () => frame.classList.add('has-picture'));
  video.addEventListener('emptied', () => frame.classList.remove('has-picture'));
}
