// Map: points in a plane cut in four, each with its label beside it and never across another.

const DIRECTIONS = [[0.8, -0.7], [0.8, 0.7], [-0.8, -0.7], [-0.8, 0.7], [1, 0], [-1, 0], [0, -1], [0, 1],
  [0.95, -0.35], [-0.95, -0.35], [0.95, 0.35], [-0.95, 0.35], [0.4, -0.9], [-0.4, -0.9], [0.4, 0.9], [-0.4, 0.9]];
const STEPS = [9, 16, 26, 38, 54, 74, 98];

function drawMap(spec, width, wanted) {
  const left = besideWidth(spec.y_axis || {});
  const [right, top] = [width - 6, spec.y_axis?.label ? 26 : 8];
  const bottom = top + (wanted || Math.min(540, Math.max(300, (right - left) * 0.62)));
  const x = scaleOf(spec.x_axis, left + 14, right - 14);
  const y = scaleOf(spec.y_axis, bottom - 14, top + 14);
  const below = axisBelow(spec.x_axis || {}, x, { top, bottom, left, right, edge: width });
  const nodes = [...below.nodes, ...axisBeside(spec.y_axis || {}, y, { left, right, top })];
  const places = new Places(left + 2, top + 2, right - 1, bottom - 2);
  nodes.push(...drawCuts(spec, x, y, { left, right, top, bottom }), ...drawCorners(spec, places));
  const points = (spec.points || []).filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y))
    .map((p) => ({ ...p, at: [x.held(p.x), y.held(p.y)] }));
  for (const p of points) places.take(p.at[0] - 6, p.at[1] - 6, 12, 12);
  const crosses = points.map((p) => drawCross(p, x, y));
  const labels = placeLabels(points, places, Math.min(150, (right - left) * 0.34));
  nodes.push(el("g", {}, ...crosses), el("g", {}, ...labels.lines), ...points.map(drawPoint), ...labels.texts);
  const hits = points.map((p, i) => ({
    x: p.at[0] - 11, y: p.at[1] - 11, width: 22, height: 22, text: p.tip || p.label, row: i, round: true }));
  const names = [spec.x_axis?.label || "x", spec.y_axis?.label || "y"];
  const facts = [["", names.join(" / ")], ...points.map((p) => [p.label, p.tip || ""])];
  return { nodes, hits, facts, height: bottom + below.height };
}

function drawCuts(spec, x, y, { left, right, top, bottom }) {
  const at = (cut) => (cut && typeof cut === "object" ? cut.at : cut);
  const look = { "stroke-dasharray": "5 4", class: "cut" };
  const [across, up] = [at(spec.x_cut), at(spec.y_cut)];
  return [
    Number.isFinite(across) && x.inside(across) ? line(x(across), top, x(across), bottom, LINE, 1.2, { ...look, "data-at": across }) : null,
    Number.isFinite(up) && y.inside(up) ? line(left, y(up), right, y(up), LINE, 1.2, { ...look, "data-at": up }) : null,
  ].filter(Boolean);
}

function drawCorners(spec, places) {
  const { left, right, top, bottom } = places;
  return (spec.corners || []).slice(0, 4).flatMap((corner, i) => {
    if (!corner) return [];
    const block = wrap(corner, (right - left) * 0.4, 12, { weight: 600 });
    const wide = widest(block.lines, 12, 600);
    const high = block.lines.length * 16;
    const x = i % 2 ? right - 6 : left + 6;
    const y = i < 2 ? top + 4 : bottom - 4 - high;
    places.take(i % 2 ? x - wide - 2 : x - 2, y, wide + 4, high + 2);
    return lines(block, x, y + 12, { size: 12, step: 16, weight: 600, colour: "#6b6b6b", anchor: i % 2 ? "end" : undefined });
  });
}

function drawCross(p, x, y) {
  const parts = [];
  const colour = "#bdbdbd";
  if (Number.isFinite(p.x_low) && Number.isFinite(p.x_high)) parts.push(line(x.held(p.x_low), p.at[1], x.held(p.x_high), p.at[1], colour, 1.1));
  if (Number.isFinite(p.y_low) && Number.isFinite(p.y_high)) parts.push(line(p.at[0], y.held(p.y_low), p.at[0], y.held(p.y_high), colour, 1.1));
  return el("g", {}, ...parts);
}

function drawPoint(p) {
  const numbers = { label: p.label, x: p.x, value: p.y, low: p.y_low, high: p.y_high, "x-low": p.x_low, "x-high": p.x_high };
  return mark(numbers, p.tip || p.label, dot(...p.at, 0, p.colour || FIRST, { faded: p.faded, radius: 5.4 }));
}

/** The most crowded point chooses first; a label that went far gets a line to its dot; without a place it stays in the tip. */
function placeLabels(points, places, widthMost) {
  const crowd = (p) => points.reduce((sum, q) => sum + 1 / (20 + Math.hypot(p.at[0] - q.at[0], p.at[1] - q.at[1])), 0);
  const order = points.map((p) => [crowd(p), p]).sort((a, b) => b[0] - a[0]);
  const found = { lines: [], texts: [] };
  for (const [, p] of order) {
    const block = wrap(p.label, widthMost, 12);
    const [wide, high] = [widest(block.lines, 12) + 2, block.lines.length * 15];
    const spot = findSpot(p.at, wide, high, places);
    if (!spot) continue;
    places.take(spot.x, spot.y, wide, high);
    const side = spot.x + wide <= p.at[0] ? "end" : spot.x >= p.at[0] ? undefined : "middle";
    const x = side === "end" ? spot.x + wide - 1 : side ? spot.x + wide / 2 : spot.x + 1;
    found.texts.push(...lines(block, x, spot.y + 11.5, { size: 12, step: 15, anchor: side, halo: true, colour: p.faded ? SOFT : INK }));
    if (spot.far) {
      const toX = Math.min(spot.x + wide, Math.max(spot.x, p.at[0]));
      const toY = Math.min(spot.y + high, Math.max(spot.y, p.at[1]));
      found.lines.push(line(...p.at, toX, toY, LINE, 0.9));
    }
  }
  return found;
}

function findSpot([px0, py0], wide, high, places) {
  for (const step of STEPS) {
    for (const [dx, dy] of DIRECTIONS) {
      const middleX = px0 + dx * step;
      const middleY = py0 + dy * step;
      const x = dx > 0.2 ? middleX : dx < -0.2 ? middleX - wide : middleX - wide / 2;
      const y = dy > 0.5 ? middleY - 2 : dy < -0.5 ? middleY - high + 2 : middleY - high / 2;
      if (places.free(x, y, wide, high)) return { x, y, far: step > 16 };
    }
  }
  return null;
}
