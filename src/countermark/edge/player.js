
"use strict";
const video = document.querySelector("video");
const seek = (by) => { video.currentTime = Math.max(0, video.currentTime + by); };
const louder = (by) => { video.volume = Math.min(1, Math.max(0, video.volume + by)); };
const toggle = () => { if (video.paused) { video.play(); } else { video.pause(); } };
const captions = () => {
  const tracks = [...video.textTracks];
  const shown = tracks.findIndex((track) => track.mode === "showing");
  tracks.forEach((track, at) => { track.mode = at === shown + 1 ? "showing" : "disabled"; });
};
const fullscreen = () => {
  if (document.fullscreenElement) { document.exitFullscreen(); } else { video.requestFullscreen(); }
};
const keys = {
  " ": toggle, k: toggle, f: fullscreen, c: captions,
  m: () => { video.muted = !video.muted; },
  j: () => seek(-10), l: () => seek(10),
  ArrowLeft: () => seek(-5), ArrowRight: () => seek(5),
  ArrowUp: () => louder(0.05), ArrowDown: () => louder(-0.05),
  Home: () => { video.currentTime = 0; },
  End: () => { if (isFinite(video.duration)) { video.currentTime = video.duration; } },
};
// In the capturing phase, before the browser's own controls act on the same key.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) { return; }
  const act = keys[event.key];
  const tenth = /^[0-9]$/.test(event.key);
  if (!act && !tenth) { return; }
  event.preventDefault();
  event.stopPropagation();
  if (act) { act(); } else if (isFinite(video.duration)) {
    video.currentTime = video.duration * Number(event.key) / 10;
  }
}, true);
const names = (() => {
  try { return new Intl.DisplayNames(undefined, { type: "language" }); } catch { return null; }
})();
for (const element of video.querySelectorAll("track[srclang]")) {
  try { if (element.srclang) { element.label = names.of(element.srclang); } } catch { }
}
