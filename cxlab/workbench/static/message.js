// A sentence instead of a picture.

function drawMessage(spec, width) {
  const error = spec.tone === "error";
  const colour = error ? "#D55E00" : FIRST;
  const block = wrap(spec.text || "", Math.min(width - 40, 720), 14, { most: 20 });
  const height = Math.max(64, block.lines.length * 22 + 40);
  const first = (height - block.lines.length * 22) / 2 + 16;
  return {
    nodes: [
      el("rect", { x: 0, y: 8, width: 4, height: height - 16, rx: 2, fill: colour }),
      ...lines(block, 24, first, { size: 14, step: 22 }),
    ],
    hits: [], facts: [], height,
  };
}
