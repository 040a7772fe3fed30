const frame = document.getElementById("just-data");
addEventListener("message", ({ source, origin, data }) => {
  // From this frame, and still from the page that was put into it.
  if (source !== frame.contentWindow || origin !== new URL(frame.src).origin) return;
  // Not without end: a frame as high as thousands of rows would have to draw them all.
  if (data.type === "just-data:height") frame.style.height = `${Math.min(data.height, 900)}px`;
  if (data.type === "just-data:result") console.log(data.file.verdict, data.file.name, data.file.findings);
});
